// Ids that were given out and never used, seen through the master.

#include "dfs-master/block_ledger.h"

#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

class BlockLedgerTest : public MasterHarness {
 protected:
  BlockLedgerTest() { AddNodes(); }
  Code PrepareWith(const PreparedBlock& block, const std::string& path) {
    EpochPair pair{.epoch = 1, .incarnation = Acquire(path)};
    return Prepare(OneFile(path, pair, {.new_path = path, .blocks = {block}})).status().code();
  }
  const std::vector<std::string> all_ = {"a", "b", "c"};
};

TEST_F(BlockLedgerTest, UnpreparedIdOfAVanishedWriterIsCollectedAndItsReplicasGo) {
  PreparedBlock block = NewPreparedBlock("w");
  Beat("a", {Added(1, block.block)});

  Pass(std::chrono::seconds(599), all_);
  EXPECT_TRUE(commands_["a"].empty());
  Pass(std::chrono::seconds(20), all_);

  ASSERT_EQ(commands_["a"].size(), 1U);
  EXPECT_EQ(commands_["a"][0].command.kind, NodeCommand::Kind::kDelete);
  EXPECT_EQ(PrepareWith(block, "/f"), Code::kAborted);
  Crash();
  EXPECT_EQ(PrepareWith(block, "/f"), Code::kAborted);
}

TEST_F(BlockLedgerTest, WhatALiveWriterHoldsIsKept) {
  PreparedBlock block = NewPreparedBlock("w");

  for (int i = 0; i < 3; ++i) {
    Pass(std::chrono::seconds(500), all_);
    NewBlock("w");
  }

  EXPECT_EQ(PrepareWith(block, "/f"), Code::kOk);
}

TEST_F(BlockLedgerTest, AfterARestartEverythingPendingHasOneGraceTimeMore) {
  PreparedBlock early = NewPreparedBlock("w");
  PreparedBlock late = NewPreparedBlock("w");
  Pass(std::chrono::seconds(500), all_);
  Crash();
  AddNodes();

  Pass(std::chrono::seconds(300), all_);
  EXPECT_EQ(PrepareWith(early, "/f"), Code::kOk);
  Pass(std::chrono::seconds(320), all_);
  EXPECT_EQ(PrepareWith(late, "/g"), Code::kAborted);
}

TEST_F(BlockLedgerTest, PreparedBlocksAreNeverGarbage) {
  PreparedBlock block = NewPreparedBlock("w");
  EpochPair pair{.epoch = 1, .incarnation = Acquire("w")};
  ASSERT_TRUE(Prepare(OneFile("w", pair, {.new_path = "/f", .blocks = {block}})).ok());
  for (const char* node : {"a", "b"})
    Beat(node, {Added(1, block.block)});

  Pass(std::chrono::seconds(3'000), all_);
  Crash();
  for (const std::string& node : all_)
    AddNode(node);
  Pass(std::chrono::seconds(3'000), all_);

  EXPECT_TRUE(commands_["a"].empty());
  EXPECT_TRUE(Commit("w", pair).ok());
}

TEST_F(BlockLedgerTest, ForeignReplicasAreLeftAlone) {
  Beat("a", {Added(1, {.id = 1'000'000'000, .raw_bytes = 1, .stored_bytes = 1})});

  Pass(std::chrono::seconds(1'300), all_);

  EXPECT_TRUE(commands_["a"].empty());
}

TEST_F(BlockLedgerTest, CollectedIdsTakeLittleRoom) {
  for (int i = 0; i < 200; ++i)
    NewBlock("w" + std::to_string(i));

  Pass(std::chrono::seconds(620), all_);

  int records = 0;
  ASSERT_TRUE(store_
                  .Scan(Table::kCollected,
                        "",
                        "",
                        [&](std::string_view, std::string_view) {
                          ++records;
                          return true;
                        })
                  .ok());
  EXPECT_EQ(records, 1);
}

}  // namespace
}  // namespace slipstream::dfs::master
