// Nodes that come, go and come back, and what the master makes of it.

#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

class MasterRepairTest : public MasterHarness {
 protected:
  MasterRepairTest() { AddNodes(); }
  // A committed file with confirmed replicas on a and b.
  Block PutConfirmed(const std::string& path) {
    Block block = PutFile(path);
    for (const char* node : {"a", "b"})
      Beat(node, {Added(++sequence_, block)});
    return block;
  }
  uint64_t sequence_ = 0;
};

TEST_F(MasterRepairTest, BlocksOfADeadNodeAreCopiedAfterThirtySeconds) {
  Block block = PutConfirmed("/f");

  Pass(std::chrono::seconds(29), {"a", "c"});
  EXPECT_TRUE(commands_["a"].empty());
  Pass(std::chrono::seconds(3), {"a", "c"});

  ASSERT_EQ(commands_["a"].size(), 1U);
  EXPECT_EQ(commands_["a"][0].command.block, block);
  EXPECT_EQ(commands_["a"][0].target.node_id, "c");
  EXPECT_EQ(master_->GetClusterState()->blocks.under_replicated, 1U);
  Beat("c", {Added(1, block)});
  EXPECT_EQ(master_->GetClusterState()->blocks.under_replicated, 0U);
}

TEST_F(MasterRepairTest, ANodeThatComesBackMakesSurplusThatIsTrimmed) {
  Block block = PutConfirmed("/f");
  Pass(std::chrono::seconds(32), {"a", "c"});
  Beat("c", {Added(1, block)});
  commands_.clear();

  AddNode("b", {block});
  Pass(std::chrono::seconds(2), {"a", "b", "c"});

  size_t deletes = 0;
  for (const auto& [node, commands] : commands_)
    deletes += commands.size();
  EXPECT_EQ(deletes, 1U);
}

TEST_F(MasterRepairTest, AReplicaLostBeforeItsNodeToldOfItIsMadeAnew) {
  Block block = PutFile("/f");
  Beat("b", {Added(1, block)});

  // In time, but with a new disk.
  AddNode("a");
  Pass(std::chrono::seconds(2), {"a", "b", "c"});

  ASSERT_EQ(commands_["b"].size(), 1U);
  EXPECT_EQ(commands_["b"][0].command.kind, NodeCommand::Kind::kCopy);
  EXPECT_EQ(commands_["b"][0].command.block, block);
}

TEST_F(MasterRepairTest, ANodeThatDoesNotConfirmAWritersWordIsAskedForAReport) {
  AddNode("a");
  Block block = PutFile("/f");
  Beat("b", {Added(1, block)});

  Pass(std::chrono::seconds(60), {"b", "c", "a"});
  EXPECT_FALSE(wants_full_report_);
  Pass(std::chrono::seconds(2), {"b", "c", "a"});
  EXPECT_TRUE(wants_full_report_);
  // Until it is there: an answer may be lost.
  Beat("a");
  EXPECT_TRUE(wants_full_report_);
  ASSERT_TRUE(master_->ReportBlocks("a", sessions_["a"], 5, {}).ok());
  Pass(std::chrono::seconds(2), {"b", "c", "a"});

  EXPECT_FALSE(wants_full_report_);
  ASSERT_EQ(commands_["b"].size(), 1U);
  EXPECT_EQ(commands_["b"][0].command.kind, NodeCommand::Kind::kCopy);
}

TEST_F(MasterRepairTest, DeadNodeHasToRegister) {
  Pass(std::chrono::seconds(31), {"a", "c"});

  EXPECT_EQ(master_->Heartbeat("b", sessions_["b"], {}, {}).status().code(), Code::kNotFound);
  EXPECT_EQ(master_->ReportBlocks("b", sessions_["b"], 0, {}).status().code(), Code::kNotFound);
}

TEST_F(MasterRepairTest, SilentNodeGetsNoNewBlocks) {
  Pass(std::chrono::seconds(11), {"a", "b"});

  BlockAllocation allocation = master_->AllocateBlocks({.writer = "w", .count = 3}).value();

  EXPECT_EQ(allocation.ids.count, 3U);
  ASSERT_EQ(allocation.nodes.size(), 2U);
  for (const NodeAddress& node : allocation.nodes)
    EXPECT_NE(node.node_id, "c");
  EXPECT_EQ(master_->AllocateBlocks({.writer = "w", .count = 1, .excluded_node_ids = {"a"}})
                .status()
                .code(),
            Code::kUnavailable);
}

TEST_F(MasterRepairTest, ReadersAreSentToLiveHoldersFirst) {
  PutConfirmed("/f");
  Pass(std::chrono::seconds(12), {"b", "c"});

  LocatedBlock stale = master_->LocateBlocks({.path = "/f"}, 0, 0)->blocks[0];
  ASSERT_EQ(stale.nodes.size(), 2U);
  EXPECT_EQ(stale.nodes[0].node_id, "b");
  Pass(std::chrono::seconds(20), {"c"});
  Pass(std::chrono::seconds(20), {"c"});

  LocatedBlock gone = master_->LocateBlocks({.path = "/f"}, 0, 0)->blocks[0];
  EXPECT_TRUE(gone.nodes.empty());
  EXPECT_EQ(gone.missing_node_ids, (std::vector<std::string>{"a", "b"}));
}

TEST_F(MasterRepairTest, SafeModeHoldsRepairBackUntilEveryBlockIsReported) {
  Block block = PutConfirmed("/f");
  Block other = PutConfirmed("/g");
  Crash();
  EXPECT_FALSE(master_->GetClusterState()->safe_mode_reason.empty());

  AddNode("a", {block});
  EXPECT_FALSE(master_->GetClusterState()->safe_mode_reason.empty());
  AddNode("b", {block, other});

  EXPECT_TRUE(master_->GetClusterState()->safe_mode_reason.empty());
  EXPECT_TRUE(master_->MakeDirectory("/works", {}, false).ok());
}

TEST_F(MasterRepairTest, SafeModeEndsThirtySecondsAfterTheFirstNode) {
  PutConfirmed("/f");
  Crash();
  Pass(std::chrono::seconds(100), {});
  AddNode("c");

  Pass(std::chrono::seconds(29), {"c"});
  EXPECT_FALSE(master_->GetClusterState()->safe_mode_reason.empty());
  Pass(std::chrono::seconds(2), {"c"});

  EXPECT_TRUE(master_->GetClusterState()->safe_mode_reason.empty());
  EXPECT_EQ(master_->GetClusterState()->blocks.missing, 1U);
}

TEST_F(MasterRepairTest, RestartOrdersNoCopiesWhileNodesAreStillComingBack) {
  Block block = PutConfirmed("/f");
  Crash();
  AddNode("a", {block});
  AddNode("c");
  commands_.clear();

  Pass(std::chrono::seconds(5), {"a", "c"});
  EXPECT_TRUE(commands_["a"].empty());
  AddNode("b", {block});
  Pass(std::chrono::seconds(60), {"a", "b", "c"});

  EXPECT_TRUE(commands_["a"].empty());
}

TEST_F(MasterRepairTest, ClientsClaimMakesTheNodeCheckAndItsVerdictCounts) {
  Block block = PutConfirmed("/f");

  ASSERT_TRUE(master_->ReportBadReplica(block.id, "a").ok());
  ASSERT_TRUE(master_->ReportBadReplica(block.id, "a").ok());
  EXPECT_EQ(master_->LocateBlocks({.path = "/f"}, 0, 0)->blocks[0].nodes.size(), 2U);
  Beat("a");
  ASSERT_EQ(commands_["a"].size(), 1U);
  EXPECT_EQ(commands_["a"][0].command.kind, NodeCommand::Kind::kVerify);

  Beat("a",
       {{.sequence = ++sequence_,
         .kind = ReplicaChange::Kind::kCorrupt,
         .block = {.id = block.id}}});
  EXPECT_EQ(master_->LocateBlocks({.path = "/f"}, 0, 0)->blocks[0].nodes.size(), 1U);
  Pass(std::chrono::seconds(2), {"a", "b", "c"});
  ASSERT_EQ(commands_["b"].size(), 1U);
  EXPECT_EQ(commands_["b"][0].target.node_id, "c");
}

TEST_F(MasterRepairTest, ChangesSentAgainAreTakenOnce) {
  Block block = PutFile("/f");
  ReplicaChange removed{.sequence = 2, .kind = ReplicaChange::Kind::kRemoved, .block = block};

  Beat("a", {Added(1, block), removed});
  Beat("a", {Added(1, block), removed});

  EXPECT_EQ(master_->GetClusterState()->blocks.under_replicated, 1U);
}

TEST_F(MasterRepairTest, LogPositionNeverGoesBack) {
  uint64_t last = 0;
  for (int round = 0; round < 3; ++round) {
    PutFile("/f" + std::to_string(round));
    uint64_t position = master_->Heartbeat("a", sessions_["a"], {}, {})->log_position;
    EXPECT_GT(position, last);
    last = position;
    Crash();
    AddNodes();
  }
}

}  // namespace
}  // namespace slipstream::dfs::master
