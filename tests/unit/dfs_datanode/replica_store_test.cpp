#include "dfs-datanode/replica_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dfs_datanode/replica_store_fixture.h"

namespace slipstream::datanode {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = ReplicaChange::Kind;
using ReplicaStoreTest = ReplicaStoreFixture;

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
