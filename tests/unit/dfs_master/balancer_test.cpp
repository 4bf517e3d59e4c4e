// Replicas that go from full nodes to empty ones, and when that ends.

#include "dfs-master/balancer.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "dfs-master/memory_store.h"

namespace slipstream::dfs::master {
namespace {

constexpr uint64_t kBlockBytes = 1'000;

// Nodes that do what the planner tells them, at once; what they delete counts as used for as long
// as it lies parked.
class BalancerTest : public ::testing::Test {
 protected:
  NodeNumber AddNode(const std::string& id,
                     uint64_t capacity_blocks,
                     const std::string& rack = "") {
    Transaction txn(store_);
    NodeRegistration registration{.node_id = id, .address = id + ":1", .rack = rack};
    Node* node = nodes_.Register(txn, registration, 1, now_).value();
    EXPECT_TRUE(store_.Apply(txn.TakeBatch()).ok());
    capacity_[node->number] = capacity_blocks * kBlockBytes;
    blocks_.SetPresence(node->number, node->presence());
    return node->number;
  }
  static Block ABlock(BlockId id) {
    return {.id = id, .raw_bytes = kBlockBytes, .stored_bytes = kBlockBytes, .crc32c = 3};
  }
  void AddBlocks(size_t count, const std::vector<NodeNumber>& holders) {
    for (size_t i = 0; i < count; ++i) {
      const BlockId id = ++last_id_;
      blocks_.Load({.block = ABlock(id),
                    .replication = static_cast<uint32_t>(holders.size()),
                    .first_holders = {}},
                   true);
      for (NodeNumber node : holders) {
        blocks_.Added(node, ABlock(id), ++sequence_);
        used_[node] += kBlockBytes;
      }
    }
  }
  void Beat() {
    for (const auto& [number, capacity] : capacity_) {
      const uint64_t used = used_[number] + parked_[number];
      NodeTable::Heartbeat(
          *nodes_.Find(number),
          {.capacity_bytes = capacity, .used_bytes = used, .free_bytes = capacity - used},
          now_);
    }
  }
  // One second of the master and its nodes. True when the balancer ended.
  bool Step() {
    Beat();
    planner_.Plan([](BlockId) { return false; }, now_);
    const bool has_ended = balancer_.Step(now_);
    for (const auto& [number, capacity] : capacity_) {
      for (const NodeCommand& command : planner_.TakeCommands(number, now_))
        Obey(number, command);
    }
    now_.steady += std::chrono::seconds(1);
    return has_ended;
  }
  void Obey(NodeNumber number, const NodeCommand& command) {
    const BlockId id = command.block.id;
    if (command.kind == NodeCommand::Kind::kCopy) {
      blocks_.Added(command.target, ABlock(id), ++sequence_);
      used_[command.target] += kBlockBytes;
      planner_.Settle(command.target, id);
    } else if (command.kind == NodeCommand::Kind::kDelete) {
      const std::optional<BlockMap::Entry> entry = blocks_.Find(id);
      EXPECT_GT(blocks_.Count(*entry).in_service, entry->replication);
      blocks_.Removed(number, id, ++sequence_);
      used_[number] -= kBlockBytes;
      parked_[number] += kBlockBytes;
      planner_.Settle(number, id);
    }
  }
  // Steps until it ended; false where it does not within an hour.
  bool Run() {
    for (int second = 0; second < 3'600; ++second) {
      if (Step()) return true;
    }
    return false;
  }
  double Share(NodeNumber node) {
    return static_cast<double>(used_[node]) / static_cast<double>(capacity_[node]);
  }
  uint64_t Replicas() const {
    uint64_t count = 0;
    for (const auto& [number, capacity] : capacity_)
      count += blocks_.replica_count(number);
    return count;
  }

  MemoryStore store_;
  Now now_{.steady = SteadyTime(std::chrono::seconds(1)), .wall = {}};
  NodeTable nodes_{NodeTable::Options{}};
  BlockMap blocks_;
  ReplicaPlacer placer_{1};
  RepairPlanner planner_{{}, nodes_, blocks_, placer_};
  Balancer balancer_{{}, nodes_, blocks_, planner_};
  std::map<NodeNumber, uint64_t> capacity_;
  std::map<NodeNumber, uint64_t> used_;
  std::map<NodeNumber, uint64_t> parked_;
  BlockId last_id_ = 0;
  uint64_t sequence_ = 0;
};

TEST_F(BalancerTest, ANewNodeIsFilledUntilAllAreWithinTheThreshold) {
  const NodeNumber a = AddNode("a", 1'000);
  const NodeNumber b = AddNode("b", 1'000);
  const NodeNumber c = AddNode("c", 1'000);
  AddBlocks(600, {a, b});
  const uint64_t replicas = Replicas();
  Beat();

  ASSERT_TRUE(balancer_.Start(5).ok());
  ASSERT_TRUE(Run());

  for (NodeNumber node : {a, b, c})
    EXPECT_NEAR(Share(node), 0.4, 0.051);
  EXPECT_EQ(Replicas(), replicas);
  const BalanceStatus status = balancer_.GetStatus(now_);
  EXPECT_FALSE(status.is_running);
  EXPECT_EQ(status.bytes_moved, used_[c]);
  EXPECT_EQ(status.blocks_moved * kBlockBytes, status.bytes_moved);
  // It moved what was needed, and not all it could.
  EXPECT_LE(status.blocks_moved, 420U);
}

TEST_F(BalancerTest, UnequalNodesGetEqualShares) {
  const NodeNumber small = AddNode("small", 200);
  const NodeNumber large = AddNode("large", 2'000);
  const NodeNumber other = AddNode("other", 2'000);
  AddBlocks(150, {small, other});
  Beat();

  ASSERT_TRUE(balancer_.Start(5).ok());
  ASSERT_TRUE(Run());

  EXPECT_NEAR(Share(small), 300.0 / 4'200, 0.051);
  EXPECT_GT(used_[large], 0U);
}

TEST_F(BalancerTest, MovesNeverBringReplicasNearerToOneAnother) {
  const NodeNumber a = AddNode("a", 1'000, "/r1");
  const NodeNumber b = AddNode("b", 1'000, "/r2");
  const NodeNumber c = AddNode("c", 1'000, "/r2");
  AddBlocks(600, {a, b});
  Beat();

  ASSERT_TRUE(balancer_.Start(5).ok());
  ASSERT_TRUE(Run());

  // Only b may give to c, so that a keeps one of each.
  EXPECT_EQ(used_[a], 600 * kBlockBytes);
  EXPECT_GT(used_[c], 0U);
  EXPECT_EQ(used_[b] + used_[c], 600 * kBlockBytes);
}

TEST_F(BalancerTest, WhatIsStoppedBeginsNoMore) {
  const NodeNumber a = AddNode("a", 1'000);
  const NodeNumber b = AddNode("b", 1'000);
  AddNode("c", 1'000);
  AddBlocks(600, {a, b});
  Beat();
  ASSERT_TRUE(balancer_.Start(5).ok());
  Step();

  balancer_.Stop();
  for (int i = 0; i < 5; ++i)
    Step();

  EXPECT_EQ(planner_.moves_in_flight(), 0U);
  EXPECT_EQ(planner_.copies_in_flight(), 0U);
  const uint64_t moved = balancer_.GetStatus(now_).blocks_moved;
  Step();
  EXPECT_EQ(balancer_.GetStatus(now_).blocks_moved, moved);
}

TEST_F(BalancerTest, AThresholdIsAPercentage) {
  EXPECT_EQ(balancer_.Start(-1).code(), Code::kInvalidArgument);
  EXPECT_EQ(balancer_.Start(101).code(), Code::kInvalidArgument);
  EXPECT_TRUE(balancer_.Start(0).ok());
  EXPECT_EQ(balancer_.GetStatus(now_).threshold_percent, 10);
}

}  // namespace
}  // namespace slipstream::dfs::master
