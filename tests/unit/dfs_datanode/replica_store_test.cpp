#include "dfs-datanode/replica_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dfs_datanode/replica_fixture.h"

namespace slipstream::datanode {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = ReplicaChange::Kind;

class ReplicaStoreTest : public testing::Test {
 protected:
  ReplicaStoreTest() { Reopen(); }

  void Reopen() {
    store_.reset();
    Result<std::unique_ptr<ReplicaStore>> store = ReplicaStore::Open(options_, clock_);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(*store);
  }

  std::vector<std::pair<Kind, block::BlockId>> Changes() const {
    std::vector<std::pair<Kind, block::BlockId>> changes;
    for (const ReplicaChange& change : store_->PendingChanges(1000)) {
      changes.emplace_back(change.kind, change.identity.block_id);
    }
    return changes;
  }

  std::vector<std::string> PathsWith(const std::string& part) const {
    std::vector<std::string> paths;
    for (const std::string& path : fs_.Paths()) {
      if (path.find(part) != std::string::npos) paths.push_back(path);
    }
    return paths;
  }
  std::vector<std::string> Packs() const { return PathsWith("/packs/"); }
  // What was put in quarantine last of a block, by its file's suffix.
  std::string Quarantined(block::BlockId id, const std::string& suffix) const {
    const std::vector<std::string> paths = PathsWith("-" + block::BlockFileName(id) + suffix);
    return paths.empty() ? std::string() : fs_.Content(paths.back());
  }

  MemoryFileSystem fs_;
  ManualClock clock_;
  ReplicaStore::Options options_ = StoreOptions(fs_);
  std::unique_ptr<ReplicaStore> store_;
};

TEST_F(ReplicaStoreTest, ReadsBackWhatWasWrittenAlsoAfterAReopen) {
  const std::vector<TestBlock> blocks = {SmallBlock(1), LargeBlock(2), SmallBlock(3)};
  ASSERT_TRUE(Write(*store_, blocks).ok());

  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(Ids(*store_), ElementsAre(1, 2, 3));
    for (const TestBlock& block : blocks) {
      EXPECT_EQ(ReadAll(*store_, block.id()).value(), block.stored);
      EXPECT_TRUE(store_->Verify(block.id()).ok());
    }
    Reopen();
  }
}

TEST_F(ReplicaStoreTest, SmallBlocksShareAPackAndLargeOnesHaveAFile) {
  ASSERT_TRUE(Write(*store_, {SmallBlock(1), LargeBlock(0x2aff), SmallBlock(3)}).ok());

  std::vector<std::string> paths = PathsWith("0");
  ASSERT_EQ(paths.size(), 3u);
  EXPECT_EQ(paths[0], "/data/blocks/2a/0000000000002aff.meta");
  EXPECT_EQ(paths[1], "/data/blocks/2a/0000000000002aff.zst");
  EXPECT_TRUE(paths[2].starts_with("/data/packs/0000000000000001-"));
}

TEST_F(ReplicaStoreTest, NothingOfAStreamIsThereBeforeItsCommit) {
  {
    std::unique_ptr<ReplicaWriter> writer = store_->NewWriter();
    for (const TestBlock& block : {SmallBlock(1), LargeBlock(2)}) {
      ASSERT_TRUE(writer->Begin(block.meta).ok());
      ASSERT_TRUE(writer->Append(block.stored).ok());
    }
    EXPECT_THAT(Ids(*store_), IsEmpty());
    EXPECT_EQ(Write(*store_, {SmallBlock(1)}).code(), Code::kAlreadyExists);
  }
  EXPECT_THAT(PathsWith("/blocks/"), IsEmpty());
  EXPECT_THAT(Packs(), IsEmpty());
  EXPECT_TRUE(Write(*store_, {SmallBlock(1)}).ok());
}

TEST_F(ReplicaStoreTest, RefusesBytesThatAreNotTheBlocks) {
  const TestBlock block = LargeBlock(1);
  std::string flipped = block.stored;
  flipped[flipped.size() / 2] ^= 1;
  std::unique_ptr<ReplicaWriter> writer = store_->NewWriter();
  ASSERT_TRUE(writer->Begin(block.meta).ok());
  EXPECT_EQ(writer->Append(flipped).code(), Code::kDataLoss);
  writer = store_->NewWriter();
  ASSERT_TRUE(writer->Begin(block.meta).ok());
  EXPECT_EQ(writer->Append(block.stored + "x").code(), Code::kDataLoss);
  writer = store_->NewWriter();
  ASSERT_TRUE(writer->Begin(block.meta).ok());
  ASSERT_TRUE(writer->Append(block.stored.substr(1)).ok() ||
              writer->Commit().code() == Code::kInvalidArgument);
  EXPECT_EQ(writer->Begin(SmallBlock(2).meta).code(), Code::kInvalidArgument);
  writer.reset();

  EXPECT_EQ(store_->NewWriter()->Append("x").code(), Code::kInvalidArgument);
  EXPECT_THAT(PathsWith("/blocks/"), IsEmpty());
  EXPECT_THAT(Packs(), IsEmpty());
}

TEST_F(ReplicaStoreTest, RefusesABlockThatIsHereAlready) {
  ASSERT_TRUE(Write(*store_, {SmallBlock(1), LargeBlock(2)}).ok());

  EXPECT_EQ(Write(*store_, {SmallBlock(1)}).code(), Code::kAlreadyExists);
  EXPECT_EQ(Write(*store_, {LargeBlock(2)}).code(), Code::kAlreadyExists);
}

TEST_F(ReplicaStoreTest, ADeletedReplicaIsReadUntilItsTimeIsOver) {
  const std::vector<TestBlock> blocks = {SmallBlock(1), LargeBlock(2)};
  ASSERT_TRUE(Write(*store_, blocks).ok());
  for (const TestBlock& block : blocks)
    ASSERT_TRUE(store_->Delete(block.id()).ok());

  EXPECT_THAT(Ids(*store_), IsEmpty());
  EXPECT_EQ(store_->Delete(1).code(), Code::kNotFound);
  clock_.Advance(options_.park_time - std::chrono::milliseconds(1));
  EXPECT_EQ(store_->Reap(), 0u);
  for (const TestBlock& block : blocks)
    EXPECT_EQ(*ReadAll(*store_, block.id()), block.stored);
  EXPECT_EQ(store_->GetUsage()->parked_count, 2u);

  clock_.Advance(std::chrono::milliseconds(1));
  EXPECT_EQ(store_->Reap(), 2u);
  EXPECT_EQ(store_->Read(1).status().code(), Code::kNotFound);
  EXPECT_EQ(store_->Read(2).status().code(), Code::kNotFound);
  EXPECT_EQ(store_->GetUsage()->used_bytes, 0u);
  Reopen();
  EXPECT_THAT(Ids(*store_), IsEmpty());
}

TEST_F(ReplicaStoreTest, AMasterThatWantsAReplicaGoneHearsSoEvenWhereThereIsNone) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1), LargeBlock(2)}).ok());
  const std::string path = "/data/blocks/00/0000000000000001.zst";
  fs_.SetContent(path, "bad");
  ASSERT_EQ(store_->Verify(1).code(), Code::kDataLoss);
  store_->AcknowledgeChanges(store_->List().sequence);
  size_t notified = 0;
  store_->SetChangeListener([&notified] { ++notified; });

  EXPECT_EQ(store_->Delete(1).code(), Code::kNotFound);   // in quarantine
  EXPECT_EQ(store_->Delete(77).code(), Code::kNotFound);  // never here
  EXPECT_TRUE(store_->Delete(2).ok());
  EXPECT_EQ(store_->Delete(2).code(), Code::kNotFound);  // parked

  EXPECT_THAT(Changes(),
              ElementsAre(std::pair(Kind::kRemoved, 1),
                          std::pair(Kind::kRemoved, 77),
                          std::pair(Kind::kRemoved, 2),
                          std::pair(Kind::kRemoved, 2)));
  EXPECT_EQ(notified, 4u);
  EXPECT_EQ(Quarantined(1, ".zst"), "bad");
}

TEST_F(ReplicaStoreTest, AParkedReplicaIsBackAfterARestartAndGivesWayToANewCopy) {
  ASSERT_TRUE(Write(*store_, {SmallBlock(1), LargeBlock(2)}).ok());
  ASSERT_TRUE(store_->Delete(1).ok());
  ASSERT_TRUE(store_->Delete(2).ok());
  Reopen();
  EXPECT_THAT(Ids(*store_), ElementsAre(1, 2));

  ASSERT_TRUE(store_->Delete(1).ok());
  ASSERT_TRUE(store_->Delete(2).ok());
  ASSERT_TRUE(Write(*store_, {SmallBlock(1), LargeBlock(2)}).ok());
  clock_.Advance(2 * options_.park_time);
  EXPECT_EQ(store_->Reap(), 0u);
  EXPECT_THAT(Ids(*store_), ElementsAre(1, 2));
  EXPECT_EQ(*ReadAll(*store_, 2), LargeBlock(2).stored);
}

TEST_F(ReplicaStoreTest, EveryFlippedBitOfAFileIsFoundAndNeverRead) {
  const TestBlock block = LargeBlock(1);
  ASSERT_TRUE(Write(*store_, {block}).ok());
  const std::string path = "/data/blocks/00/0000000000000001.zst";
  const std::string good = fs_.Content(path);
  for (size_t byte = 0; byte < good.size(); byte += 7) {
    std::string bad = good;
    bad[byte] = static_cast<char>(bad[byte] ^ (1 << (byte % 8)));
    fs_.SetContent(path, bad);
    if (Result<std::string> read = ReadAll(*store_, 1); read.ok()) {
      ASSERT_EQ(*read, block.stored) << byte;
    } else {
      ASSERT_EQ(read.status().code(), Code::kDataLoss);
    }
    ASSERT_EQ(store_->Verify(1).code(), Code::kDataLoss) << byte;
    ASSERT_EQ(store_->Read(1).status().code(), Code::kNotFound);
    ASSERT_EQ(Quarantined(1, ".zst"), bad);
    ASSERT_TRUE(Write(*store_, {block}).ok());
  }
}

TEST_F(ReplicaStoreTest, AFullDiskWithoutRoomForALostMetaFileIsReadAllTheSame) {
  const TestBlock block = LargeBlock(1);
  const std::string meta = "/data/blocks/00/0000000000000001.meta";
  ASSERT_TRUE(Write(*store_, {block}).ok());
  const std::string good = fs_.Content(meta);
  ASSERT_TRUE(fs_.Remove(meta).ok());
  uint64_t used_bytes = 0;
  for (const std::string& path : fs_.Paths())
    used_bytes += fs_.Content(path).size();

  // A little less than it takes; the number of the node's changes, which is kept first, is shorter.
  fs_.SetCapacity(used_bytes + good.size() - 1);
  Reopen();
  EXPECT_THAT(Ids(*store_), ElementsAre(1));
  EXPECT_EQ(ReadAll(*store_, 1).value(), block.stored);
  EXPECT_TRUE(store_->Verify(1).ok());

  fs_.SetCapacity(UINT64_C(1) << 40);
  Reopen();
  EXPECT_EQ(fs_.Content(meta), good);
}

// What was meant for one file went to another: both are found, whichever piece it was.
TEST_F(ReplicaStoreTest, AMisdirectedWriteIsFoundInBothFiles) {
  const std::vector<TestBlock> blocks = {LargeBlock(1), LargeBlock(2)};
  const std::vector<std::string> paths = {"/data/blocks/00/0000000000000001.zst",
                                          "/data/blocks/00/0000000000000002.zst"};
  ASSERT_TRUE(Write(*store_, blocks).ok());
  const std::string meant = fs_.Content(paths[0]);
  const std::string hit = fs_.Content(paths[1]);
  const size_t size = std::min(meant.size(), hit.size());
  constexpr size_t kPiece = 512;
  for (size_t begin = 0; begin + kPiece <= size; begin += kPiece) {
    fs_.SetContent(paths[0], std::string(meant).replace(begin, kPiece, kPiece, '\0'));
    fs_.SetContent(paths[1], std::string(hit).replace(begin, kPiece, meant, begin, kPiece));

    for (const TestBlock& block : blocks) {
      const Result<std::string> read = ReadAll(*store_, block.id());
      ASSERT_TRUE(read.ok() ? *read == block.stored : read.status().code() == Code::kDataLoss);
      ASSERT_EQ(store_->Verify(block.id()).code(), Code::kDataLoss) << begin;
    }
    ASSERT_TRUE(Write(*store_, blocks).ok());
  }
}

TEST_F(ReplicaStoreTest, EveryTruncationOfAFileIsFoundAtOpenAndByVerify) {
  const TestBlock block = LargeBlock(1);
  const std::string path = "/data/blocks/00/0000000000000001.zst";
  for (size_t size = 0; size < 9'000; size += 501) {
    ASSERT_TRUE(Write(*store_, {block}).ok());
    const std::string good = fs_.Content(path);
    ASSERT_LT(size, good.size() + 501);
    if (size >= good.size()) break;
    fs_.SetContent(path, good.substr(0, size));
    ASSERT_EQ(store_->Verify(1).code(), Code::kDataLoss) << size;

    ASSERT_TRUE(Write(*store_, {block}).ok());
    fs_.SetContent(path, good.substr(0, size));
    Reopen();
    ASSERT_THAT(Ids(*store_), IsEmpty()) << size;
  }
}

TEST_F(ReplicaStoreTest, EveryFlippedBitOfAPackIsFoundAndNeverRead) {
  const std::vector<TestBlock> blocks = {SmallBlock(1), SmallBlock(2), SmallBlock(3)};
  ASSERT_TRUE(Write(*store_, blocks).ok());
  const std::string path = Packs().at(0);
  const std::string good = fs_.Content(path);
  for (size_t byte = 0; byte < good.size(); byte += 3) {
    std::string bad = good;
    bad[byte] = static_cast<char>(bad[byte] ^ (1 << (byte % 8)));
    fs_.SetContent(path, bad);
    size_t found_bad = 0;
    for (const TestBlock& block : blocks) {
      Result<std::string> read = ReadAll(*store_, block.id());
      ASSERT_TRUE(read.ok() ? *read == block.stored : read.status().code() == Code::kDataLoss);
      found_bad += read.ok() ? 0 : 1;
    }
    ASSERT_EQ(found_bad, 1u) << byte;

    // At a start damage before other records costs one block, damage at the end is a torn tail.
    Reopen();
    std::vector<block::BlockId> ids = Ids(*store_);
    ASSERT_EQ(ids.size(), 2u) << byte;
    for (block::BlockId id : ids)
      ASSERT_EQ(*ReadAll(*store_, id), blocks[id - 1].stored);
    fs_.SetContent(path, good);
    Reopen();
  }
}

TEST_F(ReplicaStoreTest, AMissingOrDamagedMetaFileIsMadeAgain) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1), LargeBlock(2)}).ok());
  const std::string path = "/data/blocks/00/0000000000000001.meta";
  const std::string good = fs_.Content(path);
  ASSERT_TRUE(fs_.Remove(path).ok());
  fs_.SetContent("/data/blocks/00/0000000000000002.meta", "garbage");
  Reopen();

  EXPECT_THAT(Ids(*store_), ElementsAre(1, 2));
  EXPECT_EQ(fs_.Content(path), good);
  EXPECT_EQ(*ReadAll(*store_, 2), LargeBlock(2).stored);
}

TEST_F(ReplicaStoreTest, TheMetaFileStandsInForADamagedHeader) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1)}).ok());
  const std::string path = "/data/blocks/00/0000000000000001.zst";
  std::string bad = fs_.Content(path);
  bad[20] ^= 1;
  fs_.SetContent(path, bad);
  Reopen();

  EXPECT_EQ(*ReadAll(*store_, 1), LargeBlock(1).stored);
  EXPECT_EQ(store_->Verify(1).code(), Code::kDataLoss);
}

TEST_F(ReplicaStoreTest, ABadReplicaIsToldOnceAndCanBeReplaced) {
  ASSERT_TRUE(Write(*store_, {SmallBlock(1), SmallBlock(2)}).ok());
  const std::string path = Packs().at(0);
  std::string bad = fs_.Content(path);
  bad[300] ^= 1;
  fs_.SetContent(path, bad);

  EXPECT_EQ(store_->Verify(1).code(), Code::kDataLoss);
  EXPECT_EQ(store_->Verify(1).code(), Code::kNotFound);
  EXPECT_TRUE(store_->Verify(2).ok());
  EXPECT_THAT(
      Changes(),
      ElementsAre(
          std::pair(Kind::kAdded, 1), std::pair(Kind::kAdded, 2), std::pair(Kind::kCorrupt, 1)));
  EXPECT_FALSE(Quarantined(1, ".packed").empty());
  ASSERT_TRUE(Write(*store_, {SmallBlock(1)}).ok());
  EXPECT_EQ(*ReadAll(*store_, 1), SmallBlock(1).stored);
}

TEST_F(ReplicaStoreTest, AReplicaThatCannotBeReadForAWhileIsBad) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1), LargeBlock(2)}).ok());
  fs_.SetFault([](MemoryFileSystem::Operation operation, const std::string& path) {
    const bool is_hit = operation == MemoryFileSystem::Operation::kRead &&
                        path == "/data/blocks/00/0000000000000001.zst";
    return is_hit ? Unavailable("input/output error") : Status();
  });

  EXPECT_EQ(ReadAll(*store_, 1).status().code(), Code::kUnavailable);
  EXPECT_EQ(store_->Verify(1).code(), Code::kUnavailable);
  clock_.Advance(options_.unreadable_max - std::chrono::milliseconds(1));
  EXPECT_EQ(store_->Verify(1).code(), Code::kUnavailable);
  EXPECT_THAT(Ids(*store_), ElementsAre(1, 2));
  clock_.Advance(std::chrono::milliseconds(1));
  EXPECT_EQ(store_->Verify(1).code(), Code::kDataLoss);
  EXPECT_THAT(Ids(*store_), ElementsAre(2));
}

TEST_F(ReplicaStoreTest, ADiskThatIsAwayForAMomentCostsNoReplica) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1), SmallBlock(2)}).ok());
  for (int round = 0; round < 2; ++round) {
    fs_.SetFault([](MemoryFileSystem::Operation operation, const std::string&) {
      return operation == MemoryFileSystem::Operation::kRead ? Unavailable("input/output error")
                                                             : Status();
    });
    for (block::BlockId id : {1U, 2U})
      EXPECT_EQ(store_->Verify(id).code(), Code::kUnavailable);
    fs_.SetFault({});
    // That it could be read meanwhile begins the time anew.
    for (block::BlockId id : {1U, 2U})
      EXPECT_TRUE(store_->Verify(id).ok());
    clock_.Advance(options_.unreadable_max);
  }

  EXPECT_THAT(Ids(*store_), ElementsAre(1, 2));
}

TEST_F(ReplicaStoreTest, AFileThatSomebodyRemovedIsABadReplica) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1)}).ok());
  ASSERT_TRUE(fs_.Remove("/data/blocks/00/0000000000000001.zst").ok());

  EXPECT_EQ(store_->Read(1).status().code(), Code::kDataLoss);
  EXPECT_EQ(store_->Verify(1).code(), Code::kDataLoss);
  EXPECT_EQ(store_->Read(1).status().code(), Code::kNotFound);
  EXPECT_EQ(Changes().back(), std::pair(Kind::kCorrupt, block::BlockId{1}));
}

TEST_F(ReplicaStoreTest, ALackOfDescriptorsSaysNothingOfTheReplica) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1)}).ok());
  fs_.SetFault([](MemoryFileSystem::Operation operation, const std::string&) {
    return operation == MemoryFileSystem::Operation::kOpen
               ? ResourceExhausted("too many open files")
               : Status();
  });

  EXPECT_EQ(store_->Verify(1).code(), Code::kResourceExhausted);
  EXPECT_THAT(Ids(*store_), ElementsAre(1));
}

TEST_F(ReplicaStoreTest, ChangesAreNumberedAndKeptUntilAcknowledged) {
  ASSERT_TRUE(Write(*store_, {SmallBlock(1)}).ok());
  ASSERT_TRUE(Write(*store_, {LargeBlock(2)}).ok());
  ASSERT_TRUE(store_->Delete(1).ok());
  std::vector<ReplicaChange> changes = store_->PendingChanges(1000);
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[1].sequence, changes[0].sequence + 1);
  EXPECT_EQ(store_->List().sequence, changes[2].sequence);

  store_->AcknowledgeChanges(changes[1].sequence);
  EXPECT_THAT(Changes(), ElementsAre(std::pair(Kind::kRemoved, 1)));
  const uint64_t last = changes[2].sequence;
  clock_.Advance(std::chrono::milliseconds(5));
  Reopen();
  EXPECT_GT(store_->List().sequence, last);
}

TEST_F(ReplicaStoreTest, KeepsTheReserveFree) {
  options_.disks.disk.reserve_bytes = 50'000;
  Reopen();
  fs_.SetCapacity(55'000);

  EXPECT_EQ(Write(*store_, {LargeBlock(1)}).code(), Code::kResourceExhausted);
  EXPECT_TRUE(Write(*store_, {SmallBlock(2)}).ok());
  EXPECT_LE(store_->GetUsage()->free_bytes, 5'000u);
}

TEST_F(ReplicaStoreTest, AFullDiskLeavesNothingBehindAndIsOverWhenThereIsRoom) {
  ASSERT_TRUE(Write(*store_, {SmallBlock(1)}).ok());
  const std::vector<std::string> paths = fs_.Paths();
  size_t used = 0;
  for (const std::string& path : paths)
    used += fs_.Content(path).size();
  const size_t packed = fs_.Content(Packs().at(0)).size();
  fs_.SetCapacity(used + 500);

  EXPECT_EQ(Write(*store_, {LargeBlock(2)}).code(), Code::kResourceExhausted);
  EXPECT_EQ(Write(*store_, {SmallBlock(3)}).code(), Code::kResourceExhausted);
  EXPECT_EQ(fs_.Paths(), paths);
  EXPECT_EQ(fs_.Content(Packs().at(0)).size(), packed);
  EXPECT_EQ(*ReadAll(*store_, 1), SmallBlock(1).stored);

  fs_.SetCapacity(1 << 20);
  EXPECT_TRUE(Write(*store_, {LargeBlock(2), SmallBlock(3)}).ok());
  Reopen();
  EXPECT_THAT(Ids(*store_), ElementsAre(1, 2, 3));
}

TEST_F(ReplicaStoreTest, AMostlyDeadPackIsRewritten) {
  std::vector<TestBlock> blocks;
  for (block::BlockId id = 1; id <= 30; ++id) {
    blocks.push_back(SmallBlock(id));
    ASSERT_TRUE(Write(*store_, {blocks.back()}).ok());
  }
  const size_t packs_before = Packs().size();
  ASSERT_GE(packs_before, 3u);
  EXPECT_FALSE(*store_->Compact());
  for (block::BlockId id = 1; id <= 20; ++id) {
    if (id % 5 == 0) continue;
    ASSERT_TRUE(store_->Delete(id).ok());
  }
  clock_.Advance(options_.park_time);
  EXPECT_EQ(store_->Reap(), 16u);

  while (*store_->Compact()) {
  }
  EXPECT_LT(Packs().size(), packs_before);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Ids(*store_).size(), 14u);
    for (block::BlockId id : Ids(*store_)) {
      EXPECT_EQ(*ReadAll(*store_, id), blocks[id - 1].stored);
    }
    Reopen();
  }
}

// A pack of another node, stored here as a user's file, must not be taken for our own records when
// the search for the next record runs over it.
TEST_F(ReplicaStoreTest, RecordsWithinStoredDataAreNotTakenForOurs) {
  ASSERT_TRUE(Write(*store_, {SmallBlock(77)}).ok());
  const std::string pack = fs_.Content(Packs().at(0));
  std::mt19937 random(1);
  std::string raw(500, '\0');
  for (char& c : raw)
    c = static_cast<char>(random());
  block::EncodedBlock encoded = block::EncodeAll(raw + pack.substr(0, 700));
  ASSERT_NE(encoded.data.find(pack.substr(0, 100)), std::string::npos) << "stored uncompressed";
  TestBlock smuggler{.meta = block::MetaOf(encoded, 5), .stored = encoded.data};
  ASSERT_TRUE(Write(*store_, {smuggler}).ok());
  ASSERT_TRUE(Write(*store_, {SmallBlock(6)}).ok());
  const std::string path = Packs().at(0);
  std::string bad = fs_.Content(path);
  bad[pack.size() + 10] ^= 1;  // the smuggler's record
  fs_.SetContent(path, bad);
  ASSERT_TRUE(store_->Delete(77).ok());
  clock_.Advance(options_.park_time);
  ASSERT_EQ(store_->Reap(), 1u);
  Reopen();

  EXPECT_THAT(Ids(*store_), ElementsAre(6));
}

}  // namespace
}  // namespace slipstream::datanode
