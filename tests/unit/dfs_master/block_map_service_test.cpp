// How replicas count on nodes that leave, rest, die and come back.

#include <gtest/gtest.h>

#include "dfs-master/block_map.h"

namespace slipstream::dfs::master {
namespace {

constexpr NodeNumber kA = 1;
constexpr NodeNumber kB = 2;
constexpr NodeNumber kC = 3;

class BlockMapServiceTest : public ::testing::Test {
 protected:
  BlockMapServiceTest() {
    for (NodeNumber node : {kA, kB, kC})
      Set(node, NodeService::kInService);
  }
  void Set(NodeNumber node, NodeService service, bool is_there = true) {
    map_.SetPresence(node, {.is_there = is_there, .service = service});
  }
  static Block ABlock(BlockId id) {
    return {.id = id, .raw_bytes = 10, .stored_bytes = 5, .crc32c = 3};
  }
  void Add(BlockId id, std::vector<NodeNumber> holders, uint32_t replication = 2) {
    map_.Load({.block = ABlock(id), .replication = replication, .first_holders = {}}, true);
    for (NodeNumber node : holders)
      map_.Added(node, ABlock(id), ++sequence_);
  }
  std::vector<BlockMap::Scarce> Under() const { return map_.UnderReplicated({}, 100); }
  using Scarces = std::vector<BlockMap::Scarce>;

  BlockMap map_;
  uint64_t sequence_ = 0;
};

TEST_F(BlockMapServiceTest, ReplicasOnALeavingNodeAreGoodButDoNotCount) {
  Add(1, {kA, kB});
  Set(kA, NodeService::kDecommissioning);

  BlockMap::Tally tally = map_.Count(*map_.Find(1));
  EXPECT_EQ(tally.in_service, 1U);
  EXPECT_EQ(tally.leaving, 1U);
  EXPECT_EQ(tally.good, 2U);
  EXPECT_EQ(Under(), (Scarces{{2, 1}}));
  EXPECT_EQ(map_.BlocksToMove(kA, 16), 1U);
  EXPECT_EQ(map_.BlocksToMove(kB, 16), 0U);
  // With one node left more than one replica is never to be had.
  EXPECT_EQ(map_.BlocksToMove(kA, 1), 0U);

  map_.Added(kC, ABlock(1), ++sequence_);
  EXPECT_TRUE(Under().empty());
  EXPECT_EQ(map_.BlocksToMove(kA, 16), 0U);
  EXPECT_TRUE(map_.Trimmable(0, 10).empty());
  Set(kA, NodeService::kInService);
  EXPECT_EQ(map_.Trimmable(0, 10), std::vector<BlockId>{1});
}

TEST_F(BlockMapServiceTest, ABlockOnLeavingNodesAloneIsNotMissing) {
  Add(1, {kA, kB});
  Set(kA, NodeService::kDecommissioning);
  Set(kB, NodeService::kDecommissioned);

  EXPECT_EQ(map_.counts().missing, 0U);
  EXPECT_EQ(Under(), (Scarces{{2, 1}}));
  Set(kA, NodeService::kDecommissioning, false);
  EXPECT_EQ(Under(), (Scarces{{1, 1}}));
  // Dead as it is, its block still is on too few others.
  EXPECT_EQ(map_.BlocksToMove(kA, 16), 1U);
  Set(kB, NodeService::kDecommissioned, false);
  EXPECT_EQ(map_.counts().missing, 1U);
  EXPECT_TRUE(Under().empty());
}

TEST_F(BlockMapServiceTest, MaintenanceCountsDeadOrAliveWhileAnotherNodeHasTheBlock) {
  Add(1, {kA, kB});
  Set(kA, NodeService::kMaintenance);
  EXPECT_TRUE(Under().empty());
  Set(kA, NodeService::kMaintenance, false);
  EXPECT_TRUE(Under().empty());
  EXPECT_EQ(map_.Count(*map_.Find(1)).good, 1U);

  Set(kB, NodeService::kInService, false);
  EXPECT_EQ(map_.counts().missing, 1U);
  Set(kA, NodeService::kMaintenance, true);
  EXPECT_EQ(Under(), (Scarces{{1, 1}}));
}

TEST_F(BlockMapServiceTest, MaintenanceThatEndsWithADeadNodeMakesTheBlockScarce) {
  Add(1, {kA, kB});
  Set(kA, NodeService::kMaintenance, false);

  Set(kA, NodeService::kInService, false);

  EXPECT_EQ(Under(), (Scarces{{1, 1}}));
}

TEST_F(BlockMapServiceTest, BlocksToMoveFollowEveryChange) {
  Set(kA, NodeService::kDecommissioning);
  Add(1, {kA});
  Add(2, {kA, kB}, 1);
  Add(3, {kA, kB});
  EXPECT_EQ(map_.BlocksToMove(kA, 16), 2U);

  map_.Corrupt(kA, 1, ++sequence_);
  EXPECT_EQ(map_.BlocksToMove(kA, 16), 1U);
  map_.Discard(3);
  EXPECT_EQ(map_.BlocksToMove(kA, 16), 0U);
  map_.Removed(kB, 2, ++sequence_);
  EXPECT_EQ(map_.BlocksToMove(kA, 16), 1U);
  map_.Removed(kA, 2, ++sequence_);
  EXPECT_EQ(map_.BlocksToMove(kA, 16), 0U);
}

// Many blocks follow what becomes of their nodes in steps, and everything may change in between:
// in the end all is as if each change had been carried through at once.
TEST_F(BlockMapServiceTest, ManyBlocksFollowInStepsWhateverHappensInBetween) {
  constexpr BlockId kBlocks = 130'000;
  for (BlockId id = 1; id <= kBlocks; ++id)
    Add(id, {kA, kB});

  Set(kA, NodeService::kInService, false);
  EXPECT_FALSE(map_.HasFollowed(kA));
  const uint64_t at_first = map_.counts().under_replicated;
  EXPECT_GT(at_first, 0U);
  EXPECT_LT(at_first, kBlocks);
  // What a replica is good for is known at once, of every block.
  EXPECT_EQ(map_.Count(*map_.Find(kBlocks)).good, 1U);

  Set(kB, NodeService::kDecommissioning);
  EXPECT_TRUE(map_.FollowPresence());
  Set(kA, NodeService::kMaintenance, true);  // back before all had followed
  Set(kA, NodeService::kInService, false);
  Set(kA, NodeService::kInService, true);
  map_.Discard(1);
  map_.Discard(kBlocks);
  map_.Added(kC, ABlock(2), ++sequence_);
  map_.Added(kC, ABlock(kBlocks - 1), ++sequence_);
  map_.Removed(kA, kBlocks / 2, ++sequence_);
  map_.SetReplication(kBlocks - 2, 3);
  Add(kBlocks + 1, {kA, kC});
  while (map_.FollowPresence()) {
  }

  EXPECT_TRUE(map_.HasFollowed(kA) && map_.HasFollowed(kB));
  // Of a block on A and B only the one on A counts; those with one on C have enough.
  EXPECT_EQ(map_.counts().under_replicated, kBlocks - 2 - 2);
  EXPECT_EQ(map_.BlocksToMove(kB, 3), kBlocks - 2 - 2);
  EXPECT_EQ(map_.BlocksToMove(kA, 3), 0U);
  EXPECT_EQ(map_.counts().missing, 0U);

  Set(kB, NodeService::kInService);
  while (map_.FollowPresence()) {
  }
  EXPECT_EQ(map_.counts().under_replicated, 2U);  // without one on A, and of three
  EXPECT_EQ(map_.BlocksToMove(kB, 3), 0U);
  EXPECT_EQ(map_.Trimmable(0, 10), (std::vector<BlockId>{2, kBlocks - 1}));
}

}  // namespace
}  // namespace slipstream::dfs::master
