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

}  // namespace
}  // namespace slipstream::dfs::master
