// The harness over a real file system: processes die and come back at the same place with their
// data. What the file system itself promises is tested elsewhere.

#include "tests/support/dfs_cluster.h"

#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

TEST(DfsClusterTest, FileOutlivesKilledMasterAndDatanode) {
  const TempDir dir("dfs");
  ASSERT_OK_AND_ASSIGN(const auto cluster, DfsCluster::Start({.dir = dir.path()}));
  ASSERT_OK(cluster->WaitUntilWritable());
  ASSERT_OK(cluster->DfsWithInput({"put", "-", "/greeting"}, "hello"));

  const std::string address = cluster->master_address();
  cluster->KillMaster();
  ASSERT_OK(cluster->StartMaster());
  cluster->KillDatanode(0);

  EXPECT_EQ(cluster->master_address(), address);
  EXPECT_FALSE(cluster->datanode(0)->IsRunning());
  EXPECT_TRUE(Eventually([&] { return cluster->MustDfs({"cat", "/greeting"}) == "hello"; }));
  ASSERT_OK(cluster->StartDatanode(0));
  EXPECT_EQ(cluster->MustDfs({"cat", "/greeting"}), "hello");
}

TEST(DfsClusterTest, DaemonsDrainAndExitCleanlyOnTerm) {
  const TempDir dir("dfs");
  ASSERT_OK_AND_ASSIGN(const auto cluster, DfsCluster::Start({.dir = dir.path(), .datanodes = 2}));
  ASSERT_OK(cluster->WaitUntilWritable());

  for (Process* process : {cluster->datanode(0), cluster->datanode(1), cluster->master()}) {
    ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Terminate());
    EXPECT_EQ(exit.code, 0) << process->name();
  }
}

TEST(DfsClusterTest, FailedCommandIsToldWithItsReason) {
  const TempDir dir("dfs");
  ASSERT_OK_AND_ASSIGN(const auto cluster, DfsCluster::Start({.dir = dir.path(), .datanodes = 0}));

  const auto missing = cluster->MustDfs({"cat", "/missing"});

  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.status().message().find("No such file"), std::string::npos)
      << missing.status().ToString();
}

}  // namespace
}  // namespace slipstream::test_support
