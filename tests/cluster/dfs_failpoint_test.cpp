// Each daemon is killed at each of its failpoints, in the middle of a client's work.

#include <future>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/dfs_fixture.h"

namespace slipstream::dfs {
namespace {

using test_support::Eventually;

// Every kind of change once; each is tried on until it is known to have been carried out, and none
// may be carried out twice.
Status DoEverything(DfsClient& client, const std::string& dir, const std::string& content) {
  RETURN_IF_ERROR(client.MakeDirectory(dir, false).status());
  auto writer = client.CreateFile(dir + "/written");
  RETURN_IF_ERROR(writer->Write(content));
  RETURN_IF_ERROR(writer->Close());
  RETURN_IF_ERROR(client.Rename(dir + "/written", dir + "/renamed", false));

  const std::string owner = "appender of " + dir;
  ASSIGN_OR_RETURN(AppenderState appender, client.AcquireAppender(owner));
  const block::EncodedBlock encoded = Encode(content);
  const block::EncodedBlock* const blocks[] = {&encoded};
  ASSIGN_OR_RETURN(std::vector<DurableBlock> durable, client.WriteBlocks(owner, blocks));
  const AppenderEpoch epoch{.owner = owner,
                            .incarnation = appender.incarnation,
                            .epoch = 1,
                            .files = {{.target = dir + "/appended", .blocks = durable}}};
  RETURN_IF_ERROR(client.Prepare({&epoch, 1}, false).status());
  const AppenderCommit commit{.owner = owner, .pair = {1, appender.incarnation}};
  RETURN_IF_ERROR(client.Commit({&commit, 1}).status());

  ASSIGN_OR_RETURN(AppenderState abandoned, client.AcquireAppender("nobody of " + dir));
  const AppenderEpoch never{.owner = "nobody of " + dir,
                            .incarnation = abandoned.incarnation,
                            .epoch = 1,
                            .files = {{.target = dir + "/never"}}};
  RETURN_IF_ERROR(client.Prepare({&never, 1}, false).status());
  RETURN_IF_ERROR(client.AbortAppender("nobody of " + dir).status());

  RETURN_IF_ERROR(client.MakeDirectory(dir + "/gone", false).status());
  return client.Delete(dir + "/gone", true);
}

class DfsFailpointTest : public DfsTest {
 protected:
  void ExpectEverything(const std::string& dir, const std::string& content) {
    ASSERT_OK_AND_ASSIGN(const std::vector<FileStatus> entries, client().ListAll(dir));
    std::vector<std::string> names;
    for (const FileStatus& entry : entries)
      names.push_back(entry.name);
    EXPECT_THAT(names, ::testing::ElementsAre("appended", "renamed"));
    EXPECT_EQ(Load(dir + "/appended"), content);
    EXPECT_EQ(Load(dir + "/renamed"), content);
  }
};

TEST_F(DfsFailpointTest, AMasterThatDiesAtAnyStepOfAnyChangeIsNoticedByNobody) {
  StartCluster();
  const std::string content = JsonLines(100'000);
  for (const char* operation :
       {"mkdir", "allocate", "acquire", "prepare", "commit", "abort", "rename", "delete"}) {
    for (const char* step : {"before_write", "after_write", "after_sync"}) {
      const std::string failpoint = std::string("master.") + operation + "." + step;
      SCOPED_TRACE(failpoint);
      cluster().KillMaster();
      ASSERT_OK(cluster().StartMaster(failpoint + "=kill"));
      auto work = std::async(std::launch::async, [&] {
        const auto fresh = Connect();
        return DoEverything(*fresh, "/" + failpoint, content);
      });
      ASSERT_TRUE(Eventually([&] { return !cluster().master()->IsRunning(); }));
      ASSERT_OK(cluster().StartMaster());
      ASSERT_OK(work.get());
      ExpectEverything("/" + failpoint, content);
    }
  }
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));
}

TEST_F(DfsFailpointTest, AMasterThatDiesWhileANodeRegistersOrWhatIsDeletedIsReapedComesBack) {
  StartCluster();
  const std::string content = JsonLines(50'000);
  for (const char* operation : {"register", "reap"}) {
    for (const char* step : {"before_write", "after_write", "after_sync"}) {
      const std::string failpoint = std::string("master.") + operation + "." + step;
      SCOPED_TRACE(failpoint);
      cluster().KillMaster();
      // It may die before it is ready: nodes and orphans do not wait.
      (void)cluster().StartMaster(failpoint + "=kill");
      const auto fresh = Connect();
      auto work = std::async(std::launch::async,
                             [&] { return DoEverything(*fresh, "/" + failpoint, content); });
      ASSERT_TRUE(Eventually(
          [&] { return cluster().master() == nullptr || !cluster().master()->IsRunning(); }));
      ASSERT_OK(cluster().StartMaster());
      ASSERT_OK(work.get());
      ExpectEverything("/" + failpoint, content);
    }
  }
  EXPECT_TRUE(Eventually([&] { return CheckFullyReplicated(); }));
}

}  // namespace
}  // namespace slipstream::dfs
