// What the planner orders for given states, without a master around it.

#include "dfs-master/repair_planner.h"

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
  std::vector<NodeCommand> Take(size_t node) { return planner_.TakeCommands(numbers_[node]); }
  size_t TakeAll() {
    size_t count = 0;
    for (size_t i = 0; i < numbers_.size(); ++i)
      count += Take(i).size();
    return count;
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

}  // namespace
}  // namespace slipstream::dfs::master
