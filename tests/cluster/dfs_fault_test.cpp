// Processes die and disks rot; what was acknowledged is there, and no wrong byte is ever returned.

#include <signal.h>

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/dfs_fixture.h"

namespace slipstream::dfs {
namespace {

using test_support::Eventually;

constexpr size_t kMiB = size_t{1} << 20;

class DfsFaultTest : public DfsTest {};

TEST_F(DfsFaultTest, ADatanodeKilledInTheMiddleOfAPut) {
  StartCluster();
  const std::string content = RandomBytes(200 * kMiB, 1);
  auto writer = client().CreateFile("/f");
  ASSERT_OK(writer->Write(std::string_view(content).substr(0, 100 * kMiB)));

  cluster().KillDatanode(1);
  ASSERT_OK(writer->Write(std::string_view(content).substr(100 * kMiB)));
  ASSERT_OK(writer->Close());

  ASSERT_OK_AND_ASSIGN(std::string read, Load("/f"));
  EXPECT_TRUE(read == content);
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));
}

TEST_F(DfsFaultTest, ADatanodeThatDiesAtEachStepOfAWrite) {
  StartCluster();
  for (const char* step : {"datanode.write.before_sync",
                           "datanode.write.after_sync",
                           "datanode.write.before_answer",
                           "datanode.pack.before_sync",
                           "datanode.pack.after_sync"}) {
    SCOPED_TRACE(step);
    cluster().KillDatanode(0);
    ASSERT_OK(cluster().StartDatanode(0, std::string(step) + "=kill"));
    const bool is_small = std::string_view(step).find("pack") != std::string_view::npos;
    const std::string content = RandomBytes(is_small ? 10'000 : 3 * kMiB, 2);
    for (int i = 0; cluster().datanode(0)->IsRunning(); ++i) {
      ASSERT_LT(i, 100);
      // A client of its own: another avoids the node that failed it at the step before, or that had
      // not met its master yet. And the master may give the other two at first.
      const auto fresh = Connect();
      const std::string path = std::string("/") + step + std::to_string(i);
      ASSERT_OK(Store(*fresh, path, content));
      ASSERT_OK_AND_ASSIGN(std::string read, Load(path));
      EXPECT_TRUE(read == content);
    }
  }
  cluster().KillDatanode(0);
  ASSERT_OK(cluster().StartDatanode(0));
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));
}

TEST_F(DfsFaultTest, ADatanodeKilledInTheMiddleOfAGet) {
  StartCluster();
  const std::string content = RandomBytes(150 * kMiB, 3);
  ASSERT_OK(Store("/f", content));
  ASSERT_OK_AND_ASSIGN(auto reader, client().OpenFile("/f"));
  ASSERT_OK_AND_ASSIGN(std::string read, reader->Next());

  cluster().KillDatanode(0);

  ASSERT_OK_AND_ASSIGN(std::string rest, LoadRest(*reader));
  EXPECT_TRUE(read + rest == content);
}

TEST_F(DfsFaultTest, AStoppedDatanodeDelaysAReaderOnlyOnce) {
  StartCluster();
  const std::string content = RandomBytes(100 * kMiB, 4);
  ASSERT_OK(Store("/f", content));

  cluster().datanode(0)->Signal(SIGSTOP);

  ASSERT_OK_AND_ASSIGN(std::string read, Load("/f"));
  EXPECT_TRUE(read == content);
  cluster().datanode(0)->Signal(SIGCONT);
}

TEST_F(DfsFaultTest, AReaderGoesOnWithoutTheMaster) {
  StartCluster();
  const std::string content = RandomBytes(100 * kMiB, 5);
  ASSERT_OK(Store("/f", content));
  ASSERT_OK_AND_ASSIGN(auto reader, client().OpenFile("/f"));

  cluster().KillMaster();

  ASSERT_OK_AND_ASSIGN(std::string read, LoadRest(*reader));
  EXPECT_TRUE(read == content);
}

TEST_F(DfsFaultTest, EverythingKilledAtOnceLosesNothingAcknowledged) {
  StartCluster();
  const std::string large = RandomBytes(70 * kMiB, 6);
  const std::string small = "a few bytes";
  ASSERT_OK(Store("/large", large));
  ASSERT_OK(Store("/small", small));

  cluster().KillMaster();
  for (int i = 0; i < cluster().datanode_count(); ++i)
    cluster().KillDatanode(i);
  ASSERT_OK(cluster().StartMaster());
  for (int i = 0; i < cluster().datanode_count(); ++i)
    ASSERT_OK(cluster().StartDatanode(i));

  ASSERT_OK_AND_ASSIGN(std::string read_large, Load("/large"));
  EXPECT_TRUE(read_large == large);
  EXPECT_EQ(Load("/small"), small);
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));
  EXPECT_OK(Store("/after", "more"));
}

TEST_F(DfsFaultTest, AWriterOutlivesARestartOfTheMaster) {
  StartCluster();
  const std::string content = RandomBytes(80 * kMiB, 7);
  auto writer = client().CreateFile("/f");
  ASSERT_OK(writer->Write(std::string_view(content).substr(0, 70 * kMiB)));

  cluster().KillMaster();
  ASSERT_OK(cluster().StartMaster());
  ASSERT_OK(writer->Write(std::string_view(content).substr(70 * kMiB)));
  ASSERT_OK(writer->Close());

  ASSERT_OK_AND_ASSIGN(std::string read, Load("/f"));
  EXPECT_TRUE(read == content);
}

TEST_F(DfsFaultTest, AFlippedByteIsNeverReturnedAndIsRepaired) {
  StartCluster({.datanodes = 2});
  const std::string content = RandomBytes(20 * kMiB, 8);
  ASSERT_OK(Store("/f", content));
  ASSERT_OK_AND_ASSIGN(const int bad, FirstReplicaOf("/f"));
  ASSERT_OK_AND_ASSIGN(const Damage damage, FlipByteOnDisk(bad));

  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(std::string read, Load("/f"));
    EXPECT_TRUE(read == content);
  }
  // Whoever reads it from the bad node makes it known; then a good copy replaces it.
  EXPECT_TRUE(Eventually([&] { return Load("/f").ok() && IsHealed(damage); }));
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));

  cluster().KillDatanode(1 - bad);
  ASSERT_OK_AND_ASSIGN(std::string from_repaired, Load("/f"));
  EXPECT_TRUE(from_repaired == content);
}

TEST_F(DfsFaultTest, BlocksOfADatanodeGoneForGoodAreReplicatedElsewhere) {
  StartCluster();
  std::vector<std::string> contents;
  for (int i = 0; i < 6; ++i) {
    contents.push_back(RandomBytes(i % 2 == 0 ? 5 * kMiB : 5'000, static_cast<uint64_t>(i)));
    ASSERT_OK(Store("/f" + std::to_string(i), contents.back()));
  }

  cluster().KillDatanode(0);
  // First the master has to notice.
  ASSERT_TRUE(Eventually([&]() -> Status {
    ASSIGN_OR_RETURN(ClusterState state, client().GetClusterState());
    for (const NodeReport& node : state.nodes) {
      if (node.state == NodeState::kDead) return {};
    }
    return Unavailable("no node is dead");
  }));
  ASSERT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));

  cluster().KillDatanode(1);
  for (size_t i = 0; i < contents.size(); ++i) {
    ASSERT_OK_AND_ASSIGN(std::string read, Load("/f" + std::to_string(i)));
    EXPECT_TRUE(read == contents[i]);
  }
}

TEST_F(DfsFaultTest, AWriterWaitsForDatanodesAndGoesOnByItself) {
  StartCluster({.datanodes = 2});
  cluster().KillDatanode(0);

  auto stored = std::async(std::launch::async, [&] { return Store("/f", "patience"); });
  EXPECT_EQ(stored.wait_for(std::chrono::seconds(3)), std::future_status::timeout);
  ASSERT_OK(cluster().StartDatanode(0));

  EXPECT_OK(stored.get());
  EXPECT_EQ(Load("/f"), "patience");
}

TEST_F(DfsFaultTest, AFileWithNoLiveReplicaNamesWhoHasIt) {
  StartCluster({.datanodes = 2});
  ASSERT_OK(Store("/f", "gone for now"));
  cluster().KillDatanode(0);
  cluster().KillDatanode(1);

  auto impatient = DfsClient::Connect(
      {.master = cluster().master_address(), .read_timeout = std::chrono::seconds(2)});
  ASSERT_OK_AND_ASSIGN(auto reader, impatient->OpenFile("/f"));
  EXPECT_EQ(reader->Next().status().code(), Code::kUnavailable);

  ASSERT_OK(cluster().StartDatanode(1));
  EXPECT_EQ(Load("/f"), "gone for now");
}

}  // namespace
}  // namespace slipstream::dfs
