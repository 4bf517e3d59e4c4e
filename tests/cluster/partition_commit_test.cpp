// Folders of a running job that say when they are complete: by the event time of all tasks, never
// before their rows are there, and over a kill at either side of saying so.

#include <algorithm>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/dfs_cluster.h"
#include "tests/support/eventually.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

constexpr int kRowsOfADay = 50;  // in each partition

class PartitionCommitTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(dfs_, DfsCluster::Start({.dir = dir_ / "dfs", .datanodes = 2}));
    ASSERT_OK(dfs_->WaitUntilWritable());
  }
  Status WriteJob(const std::string& name) {
    name_ = name;
    RETURN_IF_ERROR(client_.CreateTopic(name, 2));
    return WriteFile(
        dir_ / "job.sql",
        fmt::format("SET 'pipeline.name' = '{0}';\n"
                    "CREATE TABLE s (dt STRING, v INT, ts AS TO_TIMESTAMP(dt || ' 12:00:00'),\n"
                    "  WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = '{0}',\n"
                    "  'scan.startup.mode' = 'earliest-offset', 'format' = 'json',\n"
                    "  'scan.watermark.idle-timeout' = '0');\n"
                    "CREATE TABLE t (v INT, dt STRING) PARTITIONED BY (dt) WITH (\n"
                    "  'connector' = 'filesystem', 'path' = 'dfs:///{0}', 'format' = 'csv',\n"
                    "  'sink.partition-commit.trigger' = 'partition-time',\n"
                    "  'sink.partition-commit.delay' = '1 d',\n"
                    "  'sink.partition-commit.policy.kind' = 'success-file');\n"
                    "INSERT INTO t SELECT v, dt FROM s;\n",
                    name));
  }
  Result<std::unique_ptr<Process>> Start(bool is_bounded, const std::string& failpoints = "") {
    const ProcessorRun run{
        .job = dir_ / "job.sql",
        .brokers = KafkaBroker::Shared().bootstrap(),
        .master = dfs_->master_address(),
        .workers = 2,
        .is_bounded = is_bounded,
        .failpoints = failpoints,
        .more_flags = {"--state-dir=" + (dir_ / "state").string(), "--commit-interval=100ms"}};
    return Process::Start(Command(run, dir_.path(), fmt::format("{}-{}", name_, starts_++)));
  }
  Status Fill(int partition, const std::string& day, int rows) {
    std::vector<KafkaRecord> records;
    for (int i = 0; i < rows; ++i) {
      records.push_back(
          {.value = fmt::format(R"({{"dt":"{}","v":{}}})", day, i), .partition = partition});
    }
    return client_.Produce(name_, records);
  }
  std::string Folder(const std::string& day) const { return fmt::format("/{}/dt={}", name_, day); }
  // Lines of the folder's files that readers see; 0 while there are none.
  size_t Rows(const std::string& day) const {
    const Result<ToolResult> rows = dfs_->Dfs({"-cat", Folder(day) + "/part-*"});
    if (!rows.ok() || rows->exit.code != 0) return 0;
    return static_cast<size_t>(std::count(rows->out.begin(), rows->out.end(), '\n'));
  }
  bool IsMarked(const std::string& day) const {
    const Result<ToolResult> test = dfs_->Dfs({"-test", "-e", Folder(day) + "/_SUCCESS"});
    return test.ok() && test->exit.code == 0;
  }

  const TempDir dir_{"partition-commit"};
  std::unique_ptr<DfsCluster> dfs_;
  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};
  std::string name_;
  int starts_ = 0;
};

TEST_P(PartitionCommitTest, AFolderIsMarkedWhenAllTasksArePastItAndItsRowsAreThere) {
  std::string name = GetParam();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.' || c == '_'; }, '-');
  ASSERT_OK(WriteJob("folders-" + name));
  ASSERT_OK(Fill(0, "2024-01-01", kRowsOfADay));
  ASSERT_OK(Fill(0, "2024-01-04", 1));
  ASSERT_OK(Fill(1, "2024-01-01", kRowsOfADay));

  ASSERT_OK_AND_ASSIGN(const auto killed, Start(false, fmt::format("{}=kill@1", GetParam())));
  ASSERT_TRUE(Eventually([&] { return Rows("2024-01-01") == 2 * kRowsOfADay; }));
  ASSERT_TRUE(Eventually([&] { return Rows("2024-01-04") == 1; }));
  EXPECT_FALSE(IsMarked("2024-01-01")) << "one of the tasks is still in it";
  ASSERT_OK(Fill(1, "2024-01-03", 1));
  ASSERT_OK_AND_ASSIGN(const ExitStatus killed_exit, killed->Wait());
  ASSERT_EQ(killed_exit.signal, SIGKILL) << killed->Stderr();

  ASSERT_OK_AND_ASSIGN(const auto running, Start(false));
  ASSERT_TRUE(Eventually([&] { return IsMarked("2024-01-01"); })) << running->Stderr();
  EXPECT_EQ(Rows("2024-01-01"), 2U * kRowsOfADay);
  EXPECT_FALSE(IsMarked("2024-01-03"));
  EXPECT_FALSE(IsMarked("2024-01-04"));
  ASSERT_OK_AND_ASSIGN(const ExitStatus stopped, running->Terminate());
  ASSERT_EQ(stopped.code, 0) << running->Stderr();

  // The end of the input completes all that is left.
  ASSERT_OK_AND_ASSIGN(const auto last, Start(true));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, last->Wait());
  ASSERT_EQ(exit.code, 0) << last->Stderr();
  EXPECT_TRUE(IsMarked("2024-01-03"));
  EXPECT_TRUE(IsMarked("2024-01-04"));
  EXPECT_EQ(Rows("2024-01-01"), 2U * kRowsOfADay);
}

INSTANTIATE_TEST_SUITE_P(Steps,
                         PartitionCommitTest,
                         ::testing::Values("commit.before_success_files",
                                           "commit.after_success_files"),
                         [](const auto& step) {
                           std::string name = step.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace slipstream::test_support
