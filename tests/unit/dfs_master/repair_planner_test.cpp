// What the planner orders for given states, without a master around it.

#include "dfs-master/repair_planner.h"

#include <array>
#include <ctime>
#include <set>

#include <gtest/gtest.h>

#include "dfs-master/memory_store.h"

namespace slipstream::dfs::master {
namespace {

class RepairPlannerTest : public ::testing::Test {
 protected:
  RepairPlannerTest() {
    for (const char* id : {"a", "b", "c", "d"}) {
      Transaction txn(store_);
      Node* node =
          nodes_.Register(txn, {.node_id = id, .address = std::string(id) + ":1"}, 1, now_).value();
      EXPECT_TRUE(store_.Apply(txn.TakeBatch()).ok());
      NodeTable::Heartbeat(*node, {.free_bytes = 1 << 30}, now_);
      blocks_.SetCounted(node->number, true);
      numbers_.push_back(node->number);
    }
  }
  static Block ABlock(BlockId id) {
    return {.id = id, .raw_bytes = 10, .stored_bytes = 5, .crc32c = 3};
  }
  void AddBlock(BlockId id, std::vector<size_t> holders) {
    blocks_.Load({.block = ABlock(id), .replication = 2}, true);
    for (size_t holder : holders)
      blocks_.Added(numbers_[holder], ABlock(id), ++sequence_);
  }
  std::vector<NodeCommand> Take(size_t node) { return planner_.TakeCommands(numbers_[node], now_); }
  size_t TakeAll() {
    size_t count = 0;
    for (size_t i = 0; i < numbers_.size(); ++i)
      count += Take(i).size();
    return count;
  }
  // The nodes told to delete something.
  std::multiset<size_t> TakeDeletes() {
    std::multiset<size_t> nodes;
    for (size_t i = 0; i < numbers_.size(); ++i) {
      for (const NodeCommand& command : Take(i)) {
        if (command.kind == NodeCommand::Kind::kDelete) nodes.insert(i);
      }
    }
    return nodes;
  }
  void Plan() {
    planner_.Plan([this](BlockId id) { return id >= collected_from_; }, now_);
  }

  MemoryStore store_;
  Now now_{.steady = SteadyTime(std::chrono::seconds(1)), .wall = {}};
  NodeTable nodes_{NodeTable::Options{}};
  BlockMap blocks_;
  ReplicaPlacer placer_{1};
  RepairPlanner planner_{{.copies_per_node_max = 2}, nodes_, blocks_, placer_};
  std::vector<NodeNumber> numbers_;
  uint64_t sequence_ = 0;
  BlockId collected_from_ = UINT64_MAX;
};

TEST_F(RepairPlannerTest, OneCopyFromAHolderToAnother) {
  AddBlock(1, {0});

  Plan();
  Plan();

  std::vector<NodeCommand> commands = Take(0);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].kind, NodeCommand::Kind::kCopy);
  EXPECT_EQ(commands[0].block, ABlock(1));
  EXPECT_NE(commands[0].target, numbers_[0]);
  planner_.Settle(commands[0].target, 1);
  EXPECT_EQ(planner_.copies_in_flight(), 0U);
}

TEST_F(RepairPlannerTest, CopiesInFlightPerNodeAreBounded) {
  for (BlockId id = 1; id <= 10; ++id)
    AddBlock(id, {0});

  Plan();

  EXPECT_EQ(Take(0).size(), 2U);
}

TEST_F(RepairPlannerTest, CopyThatNothingCameOfIsOrderedAgain) {
  AddBlock(1, {0});
  Plan();
  EXPECT_EQ(Take(0).size(), 1U);

  now_.steady += std::chrono::seconds(61);
  for (NodeNumber number : numbers_)
    nodes_.Find(number)->seen_at = now_.steady;
  Plan();

  EXPECT_EQ(Take(0).size(), 1U);
}

TEST_F(RepairPlannerTest, SurplusIsTrimmedToWhatIsWanted) {
  AddBlock(1, {0, 1, 2, 3});

  Plan();
  Plan();

  EXPECT_EQ(TakeAll(), 2U);
}

TEST_F(RepairPlannerTest, TrimmingIsSpreadOverNodesEquallyFull) {
  for (BlockId id = 1; id <= 30; ++id)
    AddBlock(id, {0, 1, 2});

  Plan();

  for (size_t node = 0; node < 3; ++node)
    EXPECT_EQ(Take(node).size(), 10U);
}

TEST_F(RepairPlannerTest, SurplusStaysWhileTheOthersAreNotConfirmed) {
  AddBlock(1, {0});
  FileBlock acknowledged{
      .block = ABlock(2), .replication = 2, .first_holders = {numbers_[1], numbers_[2]}};
  blocks_.Prepare(acknowledged, now_);
  blocks_.Added(numbers_[0], ABlock(2), 1);

  Plan();

  for (const NodeCommand& command : Take(0))
    EXPECT_NE(command.kind, NodeCommand::Kind::kDelete);
  EXPECT_EQ(Take(1).size() + Take(2).size(), 0U);
}

TEST_F(RepairPlannerTest, BadReplicaStaysUntilEnoughGoodOnesAreThere) {
  AddBlock(1, {0, 1});
  blocks_.Corrupt(numbers_[1], 1, ++sequence_);

  Plan();
  EXPECT_TRUE(Take(1).empty());
  std::vector<NodeCommand> copies = Take(0);
  ASSERT_EQ(copies.size(), 1U);
  EXPECT_NE(copies[0].target, numbers_[1]);

  blocks_.Added(copies[0].target, ABlock(1), ++sequence_);
  planner_.Settle(copies[0].target, 1);
  Plan();
  std::vector<NodeCommand> commands = Take(1);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].kind, NodeCommand::Kind::kDelete);
}

TEST_F(RepairPlannerTest, AllBadMeansNoneIsDeleted) {
  AddBlock(1, {0, 1});
  blocks_.Corrupt(numbers_[0], 1, ++sequence_);
  blocks_.Corrupt(numbers_[1], 1, ++sequence_);

  Plan();

  EXPECT_EQ(TakeAll(), 0U);
}

TEST_F(RepairPlannerTest, DeleteIsWithdrawnWhenAHolderDiesBeforeItIsTold) {
  AddBlock(1, {0, 1, 2});
  Plan();
  // One of the three is to go; before it hears of it another one dies.
  nodes_.Find(numbers_[0])->state = NodeState::kDead;
  nodes_.Find(numbers_[1])->state = NodeState::kDead;
  blocks_.SetCounted(numbers_[0], false);
  blocks_.SetCounted(numbers_[1], false);

  EXPECT_EQ(Take(2).size(), 0U);
  // Nor does it stand: the last holder is copied from.
  Plan();
  std::vector<NodeCommand> commands = Take(2);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].kind, NodeCommand::Kind::kCopy);
}

TEST_F(RepairPlannerTest, AHolderThatDoesNotAnswerIsToldAgainAndNoOtherIsChosen) {
  AddBlock(1, {0, 1, 2, 3});
  Plan();
  const std::multiset<size_t> told = TakeDeletes();
  ASSERT_EQ(told.size(), 2U);
  // Were it to choose anew it would choose the fuller ones.
  for (size_t node = 0; node < numbers_.size(); ++node) {
    if (!told.contains(node)) nodes_.Find(numbers_[node])->load.free_bytes = 1;
  }

  now_.steady += std::chrono::seconds(61);
  Plan();
  EXPECT_EQ(TakeDeletes(), told);
  now_.steady += std::chrono::seconds(61);
  Plan();
  EXPECT_EQ(TakeDeletes(), told);
}

TEST_F(RepairPlannerTest, WhatANodeWasToldStandsInItsNextSessionUntilItReports) {
  AddBlock(1, {0, 1, 2});
  Plan();
  const std::multiset<size_t> told = TakeDeletes();
  ASSERT_EQ(told.size(), 1U);
  const NodeNumber victim = numbers_[*told.begin()];

  BlockId position = 0;
  ASSERT_FALSE(blocks_.BeginSession(victim, position));
  planner_.BeginSession(victim);
  blocks_.Added(victim, ABlock(1), ++sequence_);
  Plan();
  EXPECT_TRUE(TakeDeletes().empty());

  // It has the replica still: the order is lost.
  planner_.Reported(victim);
  Plan();
  EXPECT_EQ(TakeDeletes(), told);
}

// The order to drop the surplus was lost, and may not be given again: without the replica in doubt
// there is only one good one. All three would stay as they are for as long as nobody asks.
TEST_F(RepairPlannerTest, ANodeIsAskedToReportWhenALostDeleteIsDueNoMore) {
  AddBlock(1, {0, 1, 2});
  Plan();
  const std::multiset<size_t> told = TakeDeletes();
  ASSERT_EQ(told.size(), 1U);
  const size_t victim = *told.begin();
  const size_t spoilt = victim == 0 ? 1 : 0;
  blocks_.Corrupt(numbers_[spoilt], 1, ++sequence_);
  Plan();
  EXPECT_EQ(TakeAll(), 0U);

  for (int round = 0; round < 2; ++round) {  // asked again: what it is told may be lost as well
    now_.steady += std::chrono::seconds(61);
    Plan();
    const std::vector<NodeCommand> commands = Take(victim);
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_EQ(commands[0].kind, NodeCommand::Kind::kReport);
    EXPECT_TRUE(TakeDeletes().empty());
  }

  // It has the replica still: there are two good ones, and the bad one goes.
  planner_.Reported(numbers_[victim]);
  Plan();
  EXPECT_EQ(TakeDeletes(), std::multiset<size_t>{spoilt});
}

TEST_F(RepairPlannerTest, ANodeIsGivenOnlyAsManyDeletesAsItTakesAndEachOnce) {
  collected_from_ = 1;
  constexpr size_t kStrays = 1'500;
  for (BlockId id = 1; id <= kStrays; ++id)
    blocks_.Added(numbers_[0], ABlock(id), id);
  for (int round = 0; round < 3; ++round) {
    Plan();
    now_.steady += std::chrono::seconds(61);
  }

  std::set<BlockId> ids;
  size_t count = 0;
  for (size_t taken = 1; taken > 0; count += taken) {
    std::vector<NodeCommand> commands = Take(0);
    taken = commands.size();
    for (const NodeCommand& command : commands)
      ids.insert(command.block.id);
  }
  EXPECT_EQ(count, RepairPlanner::Options{}.commands_queued_max);
  EXPECT_EQ(ids.size(), count);
  Plan();
  EXPECT_EQ(Take(0).size(), kStrays - count);
}

// As many as a planner looks at in one round, and more, can be helped by nobody.
TEST_F(RepairPlannerTest, BlocksThatCannotBeHelpedHoldNobodyUp) {
  RepairPlanner planner({.blocks_per_plan_max = 4}, nodes_, blocks_, placer_);
  for (BlockId id = 1; id <= 20; ++id) {
    // On a writer's word alone: nobody to copy from.
    blocks_.Prepare({.block = ABlock(id), .replication = 2, .first_holders = {numbers_[0]}}, now_);
  }
  for (BlockId id = 21; id <= 40; ++id) {
    AddBlock(id, {0});
    blocks_.Corrupt(numbers_[0], id, ++sequence_);
  }
  AddBlock(50, {1});
  AddBlock(60, {0, 2, 3});
  collected_from_ = 100;
  for (BlockId id = 80; id <= 100; ++id)
    blocks_.Added(numbers_[3], ABlock(id), ++sequence_);

  std::multiset<BlockId> copied;
  std::multiset<BlockId> deleted;
  for (int round = 0; round < 15; ++round) {
    planner.Plan([this](BlockId id) { return id >= collected_from_; }, now_);
    for (NodeNumber node : numbers_) {
      for (const NodeCommand& command : planner.TakeCommands(node, now_)) {
        (command.kind == NodeCommand::Kind::kCopy ? copied : deleted).insert(command.block.id);
      }
    }
  }
  EXPECT_EQ(copied, (std::multiset<BlockId>{50}));
  EXPECT_EQ(deleted, (std::multiset<BlockId>{60, 100}));
}

// Under the master's lock: to look through all deletes for each copy takes many seconds.
TEST_F(RepairPlannerTest, CopiesArePlannedQuicklyWhileManyDeletesAreOut) {
  RepairPlanner planner({.copies_per_node_max = 2'000,
                         .blocks_per_plan_max = 100'000,
                         .commands_per_heartbeat_max = 100'000,
                         .commands_queued_max = 100'000},
                        nodes_,
                        blocks_,
                        placer_);
  collected_from_ = 10'000;
  for (BlockId id = collected_from_; id < collected_from_ + 100'000; ++id)
    blocks_.Added(numbers_[0], ABlock(id), ++sequence_);
  auto plan = [&] { planner.Plan([this](BlockId id) { return id >= collected_from_; }, now_); };
  plan();
  ASSERT_EQ(planner.TakeCommands(numbers_[0], now_).size(), 100'000U);
  for (BlockId id = 1; id <= 2'000; ++id)
    AddBlock(id, {0});

  const std::clock_t began = std::clock();
  plan();

  EXPECT_LT(std::clock() - began, CLOCKS_PER_SEC);
  EXPECT_EQ(planner.copies_in_flight(), 2'000U);
}

TEST_F(RepairPlannerTest, OnlyCollectedStraysAreDeleted) {
  collected_from_ = 10;
  blocks_.Added(numbers_[0], ABlock(9), 1);
  blocks_.Added(numbers_[0], ABlock(10), 2);

  Plan();
  Plan();

  std::vector<NodeCommand> commands = Take(0);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].block.id, 10U);
}

TEST_F(RepairPlannerTest, TheScarcestIsCopiedFirst) {
  for (BlockId id = 1; id <= 10; ++id) {
    AddBlock(id, {0, 1});
    blocks_.SetReplication(id, 3);
  }
  AddBlock(99, {0});
  blocks_.SetReplication(99, 3);

  Plan();

  const std::vector<NodeCommand> commands = Take(0);
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[0].block.id, 99U);
}

TEST_F(RepairPlannerTest, ABadReplicaIsNoSurplus) {
  AddBlock(1, {0, 1, 2});
  blocks_.Corrupt(numbers_[2], 1, ++sequence_);

  for (int round = 0; round < 3; ++round)
    Plan();

  EXPECT_EQ(TakeDeletes(), (std::multiset<size_t>{2}));
}

TEST_F(RepairPlannerTest, FewerReplicasWantedNeverCostTheLastOnes) {
  // All of them bad: none is deleted, however few are wanted.
  AddBlock(1, {0, 1, 2});
  for (size_t node : {0U, 1U, 2U})
    blocks_.Corrupt(numbers_[node], 1, ++sequence_);
  blocks_.SetReplication(1, 1);
  // One good, one bad, one wanted: the bad one goes.
  AddBlock(2, {0, 1});
  blocks_.Corrupt(numbers_[1], 2, ++sequence_);
  blocks_.SetReplication(2, 1);

  for (int round = 0; round < 3; ++round)
    Plan();

  EXPECT_EQ(TakeDeletes(), (std::multiset<size_t>{1}));
}

TEST_F(RepairPlannerTest, ANumberOfReplicasIsReachedUpwardsAndDownwards) {
  AddBlock(1, {0, 1});
  for (const uint8_t wanted : std::to_array<uint8_t>({3, 4, 2, 1})) {
    blocks_.SetReplication(1, wanted);
    for (int round = 0; round < 20; ++round) {
      Plan();
      for (size_t i = 0; i < numbers_.size(); ++i) {
        for (const NodeCommand& command : Take(i)) {
          const bool is_copy = command.kind == NodeCommand::Kind::kCopy;
          const NodeNumber node = is_copy ? command.target : numbers_[i];
          if (is_copy) {
            blocks_.Added(node, ABlock(1), ++sequence_);
          } else {
            blocks_.Removed(node, 1, ++sequence_);
          }
          planner_.Settle(node, 1);
        }
      }
    }
    EXPECT_EQ(blocks_.CountGood(*blocks_.Find(1)), wanted);
  }
}

TEST_F(RepairPlannerTest, TrimmingLeavesTwoRacks) {
  for (size_t i = 0; i < numbers_.size(); ++i)
    nodes_.Find(numbers_[i])->registration.rack = i < 3 ? "/rack1" : "/rack2";
  for (BlockId id = 1; id <= 20; ++id)
    AddBlock(id, {0, 1, 3});

  for (int round = 0; round < 3; ++round)
    Plan();

  const std::multiset<size_t> deletes = TakeDeletes();
  EXPECT_EQ(deletes.size(), 20U);
  EXPECT_EQ(deletes.count(3), 0U);
}

TEST_F(RepairPlannerTest, WhatNodesTellOfUnknownBlocksChangesNothing) {
  AddBlock(1, {0, 1});

  blocks_.Corrupt(numbers_[0], 77, ++sequence_);
  blocks_.Removed(numbers_[1], 78, ++sequence_);
  for (int round = 0; round < 3; ++round)
    Plan();

  EXPECT_EQ(TakeAll(), 0U);
  EXPECT_EQ(blocks_.counts().bad_replicas, 0U);
}

// Of two that can be copied at a time, those with one replica left come before those with two.
TEST_F(RepairPlannerTest, TheScarcestBlockIsCopiedFirst) {
  for (BlockId id : {1U, 2U, 3U}) {
    AddBlock(id, {0, 1});
    blocks_.SetReplication(id, 3);
  }
  for (BlockId id : {4U, 5U})
    AddBlock(id, {0});
  nodes_.Find(numbers_[1])->state = NodeState::kStale;  // its replicas count, and are not copied

  Plan();

  std::set<BlockId> copied;
  for (const NodeCommand& command : Take(0))
    copied.insert(command.block.id);
  EXPECT_EQ(copied, (std::set<BlockId>{4, 5}));

  // They have their replicas: now it is the others' turn.
  for (BlockId id : {4U, 5U}) {
    blocks_.Added(numbers_[2], ABlock(id), ++sequence_);
    for (size_t node : {2U, 3U})
      planner_.Settle(numbers_[node], id);
  }
  Plan();
  const std::vector<NodeCommand> rest = Take(0);
  ASSERT_EQ(rest.size(), 2U);
  for (const NodeCommand& command : rest)
    EXPECT_LE(command.block.id, 3U);
}

}  // namespace
}  // namespace slipstream::dfs::master
