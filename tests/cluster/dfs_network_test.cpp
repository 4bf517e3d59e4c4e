// The network is cut, between real processes on hosts of their own, and heals.

#include <chrono>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/dfs_fixture.h"
#include "tests/support/test_network.h"

namespace slipstream::dfs {
namespace {

using test_support::Eventually;
using test_support::TestNetwork;

constexpr size_t kMiB = size_t{1} << 20;
constexpr int kMasterHost = 0;

int HostOf(int datanode) {
  return datanode + 1;
}

class DfsNetworkTest : public DfsTest {
 protected:
  static void SetUpTestSuite() {
    if (!TestNetwork::WhyUnavailable().empty()) return;
    auto made = TestNetwork::Make(4);
    ASSERT_OK(made.status());
    network_ = std::move(*made);
  }
  static void TearDownTestSuite() { network_.reset(); }

  void SetUp() override {
    if (const std::string why = TestNetwork::WhyUnavailable(); !why.empty()) GTEST_SKIP() << why;
    ASSERT_NE(network_, nullptr);
    Options options;
    options.network = network_.get();
    StartCluster(options);
  }
  void TearDown() override {
    if (network_ == nullptr) return;
    EXPECT_OK(network_->Heal());
  }

  static TestNetwork& network() { return *network_; }

  Result<NodeState> StateOf(int datanode) {
    ASSIGN_OR_RETURN(ClusterState state, client().GetClusterState());
    for (const NodeReport& node : state.nodes) {
      if (node.node.address == cluster().datanode_address(datanode)) return node.state;
    }
    return NotFound("the master does not know the datanode");
  }
  Status CheckState(int datanode, NodeState wanted) {
    ASSIGN_OR_RETURN(const NodeState state, StateOf(datanode));
    return state == wanted ? Status() : Unavailable("another state");
  }

  // A file of a block or two whose first block has a replica on the datanode.
  Result<std::string> StoreOn(int datanode, const std::string& content) {
    for (int i = 0; i < 50; ++i) {
      const std::string path = "/on-" + std::to_string(datanode) + "-" + std::to_string(i);
      RETURN_IF_ERROR(Store(path, content));
      ASSIGN_OR_RETURN(const FileBlocks blocks, client().LocateBlocks(path, 0));
      for (const NodeAddress& node : blocks.blocks.at(0).nodes) {
        if (node.address == cluster().datanode_address(datanode)) return path;
      }
    }
    return NotFound("no block came to the datanode");
  }

 private:
  static inline std::unique_ptr<TestNetwork> network_;
};

TEST_F(DfsNetworkTest, ADatanodeCutOffFromTheMasterGoesOnServingReaders) {
  const std::string content = RandomBytes(5 * kMiB, 1);
  ASSERT_OK_AND_ASSIGN(const std::string path, StoreOn(0, content));
  ASSERT_OK_AND_ASSIGN(auto reader, client().OpenFile(path));

  ASSERT_OK(network().CutBetween(HostOf(0), kMasterHost));
  ASSERT_TRUE(Eventually([&] { return CheckState(0, NodeState::kDead); }));

  // The other replica's node goes too: only the one that the master has given up is left to a
  // reader that knew of it before.
  ASSERT_OK_AND_ASSIGN(const FileBlocks blocks, client().LocateBlocks(path, 0));
  ASSERT_OK_AND_ASSIGN(std::string read, LoadRest(*reader));
  EXPECT_TRUE(read == content);
  // Writers have the other two nodes, and what has lost a replica gets another.
  EXPECT_OK(Store("/meanwhile", content));
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));

  ASSERT_OK(network().Heal());
  EXPECT_TRUE(Eventually([&] { return CheckState(0, NodeState::kLive); }));
  // What is too many by now goes.
  EXPECT_TRUE(Eventually([&]() -> Status {
    RETURN_IF_ERROR(CheckFullyReplicated());
    ASSIGN_OR_RETURN(const ClusterState state, client().GetClusterState());
    uint64_t replicas = 0;
    for (const NodeReport& node : state.nodes)
      replicas += node.replica_count;
    if (replicas == state.block_count * state.default_replication) return {};
    return Unavailable(std::to_string(replicas) + " replicas");
  }));
}

TEST_F(DfsNetworkTest, AWriterAvoidsDatanodesThatDoNotReachEachOther) {
  ASSERT_OK(network().Cut(HostOf(0), HostOf(1)));

  for (int i = 0; i < 6; ++i) {
    const std::string path = "/f" + std::to_string(i);
    const std::string content = RandomBytes(2 * kMiB, static_cast<uint64_t>(i));
    ASSERT_OK(Store(path, content));
    ASSERT_OK_AND_ASSIGN(std::string read, Load(path));
    EXPECT_TRUE(read == content);
  }
  ASSERT_OK(network().Heal());
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));
}

TEST_F(DfsNetworkTest, ADatanodeThatHearsNoAnswerIsGivenUpAndComesBack) {
  const std::string content = RandomBytes(3 * kMiB, 3);
  ASSERT_OK_AND_ASSIGN(const std::string path, StoreOn(0, content));

  // Its heartbeats may still arrive; the answers do not.
  ASSERT_OK(network().Cut(kMasterHost, HostOf(0)));
  ASSERT_TRUE(Eventually([&] { return CheckState(0, NodeState::kDead); }));
  ASSERT_OK_AND_ASSIGN(std::string read, Load(path));
  EXPECT_TRUE(read == content);
  EXPECT_OK(Store("/meanwhile", content));

  ASSERT_OK(network().Heal());
  EXPECT_TRUE(Eventually([&] { return CheckState(0, NodeState::kLive); }));
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));
}

TEST_F(DfsNetworkTest, AClientCutOffFromADatanodeUsesTheOthers) {
  const std::string content = RandomBytes(5 * kMiB, 4);
  ASSERT_OK_AND_ASSIGN(const std::string path, StoreOn(2, content));

  ASSERT_OK(network().CutFromHere(HostOf(2)));

  ASSERT_OK_AND_ASSIGN(std::string read, Load(path));
  EXPECT_TRUE(read == content);
  for (int i = 0; i < 4; ++i)
    EXPECT_OK(Store("/f" + std::to_string(i), content));
  EXPECT_OK(CheckState(2, NodeState::kLive));
}

TEST_F(DfsNetworkTest, AMasterCutOffFromEverybodyIsWaitedFor) {
  const std::string content = RandomBytes(2 * kMiB, 5);
  ASSERT_OK(Store("/f", content));
  ASSERT_OK_AND_ASSIGN(auto reader, client().OpenFile("/f"));

  for (int i = 0; i < cluster().datanode_count(); ++i)
    ASSERT_OK(network().CutBetween(kMasterHost, HostOf(i)));
  ASSERT_OK(network().CutFromHere(kMasterHost));

  ASSERT_OK_AND_ASSIGN(std::string read, LoadRest(*reader));
  EXPECT_TRUE(read == content);
  auto impatient = DfsClient::Connect(
      {.master = cluster().master_address(), .timeout = std::chrono::seconds(2)});
  EXPECT_EQ(impatient->Stat("/f").status().code(), Code::kUnavailable);

  ASSERT_OK(network().Heal());
  EXPECT_OK(Store("/after", content));
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));
}

}  // namespace
}  // namespace slipstream::dfs
