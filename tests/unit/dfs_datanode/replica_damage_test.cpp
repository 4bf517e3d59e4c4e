// Replicas that are not what was stored any more, or cannot be read: what the store finds, says of
// them and gives out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dfs_datanode/replica_store_fixture.h"

namespace slipstream::datanode {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = ReplicaChange::Kind;
using ReplicaDamageTest = ReplicaStoreFixture;

TEST_F(ReplicaDamageTest, EveryFlippedBitOfAFileIsFoundAndNeverRead) {
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

TEST_F(ReplicaDamageTest, AFullDiskWithoutRoomForALostMetaFileIsReadAllTheSame) {
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
TEST_F(ReplicaDamageTest, AMisdirectedWriteIsFoundInBothFiles) {
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

TEST_F(ReplicaDamageTest, EveryTruncationOfAFileIsFoundAtOpenAndByVerify) {
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

TEST_F(ReplicaDamageTest, EveryFlippedBitOfAPackIsFoundAndNeverRead) {
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

TEST_F(ReplicaDamageTest, AMissingOrDamagedMetaFileIsMadeAgain) {
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

TEST_F(ReplicaDamageTest, TheMetaFileStandsInForADamagedHeader) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1)}).ok());
  const std::string path = "/data/blocks/00/0000000000000001.zst";
  std::string bad = fs_.Content(path);
  bad[20] ^= 1;
  fs_.SetContent(path, bad);
  Reopen();

  EXPECT_EQ(*ReadAll(*store_, 1), LargeBlock(1).stored);
  EXPECT_EQ(store_->Verify(1).code(), Code::kDataLoss);
}

TEST_F(ReplicaDamageTest, ABadReplicaIsToldOnceAndCanBeReplaced) {
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

TEST_F(ReplicaDamageTest, AReplicaThatCannotBeReadForAWhileIsBad) {
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

TEST_F(ReplicaDamageTest, ADiskThatIsAwayForAMomentCostsNoReplica) {
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

TEST_F(ReplicaDamageTest, AFileThatSomebodyRemovedIsABadReplica) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1)}).ok());
  ASSERT_TRUE(fs_.Remove("/data/blocks/00/0000000000000001.zst").ok());

  EXPECT_EQ(store_->Read(1).status().code(), Code::kDataLoss);
  EXPECT_EQ(store_->Verify(1).code(), Code::kDataLoss);
  EXPECT_EQ(store_->Read(1).status().code(), Code::kNotFound);
  EXPECT_EQ(Changes().back(), std::pair(Kind::kCorrupt, block::BlockId{1}));
}

TEST_F(ReplicaDamageTest, ALackOfDescriptorsSaysNothingOfTheReplica) {
  ASSERT_TRUE(Write(*store_, {LargeBlock(1)}).ok());
  fs_.SetFault([](MemoryFileSystem::Operation operation, const std::string&) {
    return operation == MemoryFileSystem::Operation::kOpen
               ? ResourceExhausted("too many open files")
               : Status();
  });

  EXPECT_EQ(store_->Verify(1).code(), Code::kResourceExhausted);
  EXPECT_THAT(Ids(*store_), ElementsAre(1));
}

}  // namespace
}  // namespace slipstream::datanode
