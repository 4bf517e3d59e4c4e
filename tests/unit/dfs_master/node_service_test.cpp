// Nodes that are decommissioned, rest, and are taken back.

#include "tests/unit/dfs_master/master_harness.h"

namespace slipstream::dfs::master {
namespace {

class NodeServiceTest : public MasterHarness {
 protected:
  NodeServiceTest() { AddNodes(); }
  // A committed file with confirmed replicas on a and b.
  Block PutConfirmed(const std::string& path) {
    Block block = PutFile(path);
    for (const char* node : {"a", "b"})
      Beat(node, {Added(++sequence_, block)});
    return block;
  }
  Status Set(const std::string& node, NodeService service, int64_t until_ms = 0) {
    return master_->SetNodeService(node, service, until_ms);
  }
  NodeReport Report(const std::string& node_id) {
    const ClusterState cluster = master_->GetClusterState().value();
    for (const NodeReport& report : cluster.nodes) {
      if (report.node.registration.node_id == node_id) return report;
    }
    ADD_FAILURE() << "no such node: " << node_id;
    return {};
  }
  NodeService ServiceOf(const std::string& node_id) { return Report(node_id).node.service; }
  size_t CommandsOf(NodeCommand::Kind kind) const {
    size_t count = 0;
    for (const auto& [node, commands] : commands_) {
      for (const auto& command : commands) {
        if (command.command.kind == kind) ++count;
      }
    }
    return count;
  }
  size_t Copies() const { return CommandsOf(NodeCommand::Kind::kCopy); }

  const std::vector<std::string> all_{"a", "b", "c"};
  uint64_t sequence_ = 0;
};

TEST_F(NodeServiceTest, ADecommissionedNodeGivesItsBlocksAwayFirst) {
  Block block = PutConfirmed("/f");
  ASSERT_TRUE(Set("a", NodeService::kDecommissioning).ok());
  EXPECT_EQ(Report("a").blocks_to_move, 1U);

  Pass(std::chrono::seconds(15), all_);
  EXPECT_EQ(Copies(), 1U);
  EXPECT_EQ(ServiceOf("a"), NodeService::kDecommissioning);
  Beat("c", {Added(1, block)});
  Pass(std::chrono::seconds(1), all_);

  EXPECT_EQ(ServiceOf("a"), NodeService::kDecommissioned);
  EXPECT_EQ(Report("a").blocks_to_move, 0U);
  // It is read from still, and gets nothing new.
  EXPECT_EQ(master_->LocateBlocks({.path = "/f"}, 0, 0)->blocks[0].nodes.size(), 3U);
  for (int round = 0; round < 20; ++round) {
    const BlockAllocation given = master_->AllocateBlocks({.writer = "w", .count = 1}).value();
    for (const NodeAddress& node : given.nodes)
      EXPECT_NE(node.node_id, "a");
  }
}

TEST_F(NodeServiceTest, ADecommissionWaitsForWhatIsWrittenAndPrepared) {
  const Block unprepared = NewBlock("w");
  Beat("a", {Added(++sequence_, unprepared)});
  ASSERT_TRUE(Set("a", NodeService::kDecommissioning).ok());
  Pass(std::chrono::seconds(20), all_);
  EXPECT_EQ(ServiceOf("a"), NodeService::kDecommissioning);

  const EpochPair pair{.epoch = 1, .incarnation = Acquire("w")};
  PreparedBlock prepared{.block = unprepared, .holder_node_ids = {"a", "b"}};
  ASSERT_TRUE(Prepare(OneFile("w", pair, {.new_path = "/g", .blocks = {prepared}})).ok());
  Pass(std::chrono::seconds(20), all_);
  EXPECT_EQ(ServiceOf("a"), NodeService::kDecommissioning);
  EXPECT_EQ(Copies(), 1U);

  Beat("c", {Added(1, unprepared)});
  Pass(std::chrono::seconds(1), all_);
  EXPECT_EQ(ServiceOf("a"), NodeService::kDecommissioned);
}

TEST_F(NodeServiceTest, ALateWriterBringsADecommissionedNodeBack) {
  ASSERT_TRUE(Set("a", NodeService::kDecommissioning).ok());
  Pass(std::chrono::seconds(15), all_);
  ASSERT_EQ(ServiceOf("a"), NodeService::kDecommissioned);

  PutConfirmed("/f");
  Pass(std::chrono::seconds(1), all_);

  EXPECT_EQ(ServiceOf("a"), NodeService::kDecommissioning);
}

TEST_F(NodeServiceTest, ADeadNodeStaysUntilItsBlocksAreElsewhere) {
  Block block = PutConfirmed("/f");
  ASSERT_TRUE(Set("a", NodeService::kDecommissioning).ok());
  Pass(std::chrono::seconds(40), {"b", "c"});
  EXPECT_EQ(ServiceOf("a"), NodeService::kDecommissioning);
  EXPECT_EQ(Report("a").blocks_to_move, 1U);

  Beat("c", {Added(1, block)});
  Pass(std::chrono::seconds(1), {"b", "c"});

  EXPECT_EQ(ServiceOf("a"), NodeService::kDecommissioned);
}

TEST_F(NodeServiceTest, FewerNodesThanReplicasWantedAreEnoughOnceAllHaveTheBlock) {
  AddNode("d");
  Block block = PutConfirmed("/f");
  Beat("c", {Added(1, block)});
  // With d gone, and a to go, only two nodes are left; a file of two replicas needs both.
  Pass(std::chrono::seconds(40), all_);
  ASSERT_TRUE(Set("a", NodeService::kDecommissioning).ok());
  ASSERT_TRUE(Set("b", NodeService::kDecommissioning).ok());
  Pass(std::chrono::seconds(15), all_);

  // One node cannot hold two replicas: this is said, and waited for.
  EXPECT_EQ(ServiceOf("a"), NodeService::kDecommissioning);
  EXPECT_EQ(Report("a").blocks_to_move, 1U);
}

TEST_F(NodeServiceTest, WhatComesBackIntoServiceIsTrimmed) {
  Block block = PutConfirmed("/f");
  ASSERT_TRUE(Set("a", NodeService::kDecommissioning).ok());
  Pass(std::chrono::seconds(2), all_);
  Beat("c", {Added(1, block)});
  Pass(std::chrono::seconds(15), all_);
  EXPECT_EQ(CommandsOf(NodeCommand::Kind::kDelete), 0U);

  ASSERT_TRUE(Set("a", NodeService::kInService).ok());
  Pass(std::chrono::seconds(2), all_);

  EXPECT_EQ(CommandsOf(NodeCommand::Kind::kDelete), 1U);
}

TEST_F(NodeServiceTest, SilenceInMaintenanceMakesNoCopiesUntilItIsOver) {
  PutConfirmed("/f");
  const int64_t until_ms = clock_.WallNow().time_since_epoch().count() + 120'000;
  ASSERT_TRUE(Set("a", NodeService::kMaintenance, until_ms).ok());

  Pass(std::chrono::seconds(100), {"b", "c"});
  EXPECT_EQ(Copies(), 0U);
  Pass(std::chrono::seconds(25), {"b", "c"});

  EXPECT_EQ(ServiceOf("a"), NodeService::kInService);
  EXPECT_EQ(Copies(), 1U);
}

TEST_F(NodeServiceTest, ABlockWhoseOnlyOtherReplicaIsLostIsCopiedOffARestingNode) {
  PutConfirmed("/f");
  ASSERT_TRUE(Set("a", NodeService::kMaintenance).ok());

  Pass(std::chrono::seconds(35), {"a", "c"});

  ASSERT_EQ(commands_["a"].size(), 1U);
  EXPECT_EQ(commands_["a"][0].target.node_id, "c");
}

TEST_F(NodeServiceTest, ALateCopyOfARequestUndoesNothing) {
  for (const NodeService service : {NodeService::kDecommissioning, NodeService::kMaintenance}) {
    const std::string id = "out " + std::to_string(static_cast<int>(service));
    ASSERT_TRUE(master_->SetNodeService("a", service, 0, id).ok());
    ASSERT_TRUE(master_->SetNodeService("a", NodeService::kInService, 0, "in" + id).ok());

    EXPECT_TRUE(master_->SetNodeService("a", service, 0, id).ok());
    EXPECT_EQ(ServiceOf("a"), NodeService::kInService);
  }
  // It may be asked for in safe mode: no name changes.
  ASSERT_TRUE(master_->SetSafeMode(true).ok());
  EXPECT_TRUE(master_->SetNodeService("a", NodeService::kMaintenance, 0, "now").ok());
}

TEST_F(NodeServiceTest, WhatIsWantedOfANodeSurvivesARestart) {
  Block block = PutConfirmed("/f");
  ASSERT_TRUE(Set("a:7410", NodeService::kDecommissioning).ok());
  Crash();
  EXPECT_EQ(ServiceOf("a"), NodeService::kDecommissioning);

  AddNode("a", {block});
  AddNode("b", {block});
  AddNode("c");
  commands_.clear();
  Pass(std::chrono::seconds(2), all_);

  EXPECT_EQ(ServiceOf("a"), NodeService::kDecommissioning);
  EXPECT_EQ(Copies(), 1U);
}

TEST_F(NodeServiceTest, ImpossibleWishesAreRefused) {
  EXPECT_EQ(Set("nobody", NodeService::kMaintenance).code(), Code::kNotFound);
  EXPECT_EQ(Set("a", NodeService::kDecommissioned).code(), Code::kInvalidArgument);
  EXPECT_EQ(Set("a", NodeService::kMaintenance, 1).code(), Code::kInvalidArgument);
  EXPECT_EQ(Set("a", NodeService::kInService, 1).code(), Code::kInvalidArgument);
}

TEST_F(NodeServiceTest, OfMachinesByOneNameTheOneThatIsThereIsMeant) {
  // The disks of a were replaced: it came back as another node, and the old one is dead.
  Pass(std::chrono::seconds(35), {"b", "c"});
  const auto registered = master_->Register({.node_id = "new", .address = "a:7410"});
  ASSERT_TRUE(registered.ok());
  sessions_["new"] = registered->session;
  Beat("new");

  EXPECT_TRUE(Set("a:7410", NodeService::kMaintenance).ok());

  EXPECT_EQ(ServiceOf("new"), NodeService::kMaintenance);
  EXPECT_EQ(ServiceOf("a"), NodeService::kInService);
  EXPECT_TRUE(Set("a", NodeService::kMaintenance).ok());  // by its id
  EXPECT_EQ(ServiceOf("a"), NodeService::kMaintenance);
}

}  // namespace
}  // namespace slipstream::dfs::master
