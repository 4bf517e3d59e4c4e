// The commit protocol with files in the replicated file system: the processor dies at every step,
// the master and a datanode go away, users meddle with open files.

#include <algorithm>
#include <csignal>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/cluster/commit_harness.h"
#include "tests/support/assert_ok.h"
#include "tests/support/dfs_cluster.h"
#include "tests/support/eventually.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

std::string StepName(const ::testing::TestParamInfo<const char*>& step) {
  std::string name = step.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

// One line of `dfs appenders`.
struct AppenderLine {
  std::string owner, incarnation, committed, prepared, age, open_files;
};

std::vector<AppenderLine> ParseAppenders(const std::string& text) {
  std::vector<AppenderLine> appenders;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);  // the heading
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    AppenderLine& appender = appenders.emplace_back();
    fields >> appender.owner >> appender.incarnation >> appender.committed >> appender.prepared >>
        appender.age >> appender.open_files;
  }
  return appenders;
}

bool HasPrepared(const std::string& text) {
  const std::vector<AppenderLine> appenders = ParseAppenders(text);
  return std::any_of(appenders.begin(), appenders.end(), [](const AppenderLine& appender) {
    return appender.prepared != "-";
  });
}

// Whether there are appenders, and none has a prepared epoch or a file that is still open.
bool AllSettled(const std::string& text) {
  const std::vector<AppenderLine> appenders = ParseAppenders(text);
  return !appenders.empty() &&
         std::all_of(appenders.begin(), appenders.end(), [](const AppenderLine& appender) {
           return appender.prepared == "-" && appender.open_files == "0";
         });
}

class CommitDfsTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(cluster_, DfsCluster::Start({.dir = dir_.path(), .datanodes = 3}));
    ASSERT_OK(cluster_->WaitUntilWritable());
  }

  CommitHarness MakeJob(std::string name, int batch_delay_ms = 100, int record_count = 30'000) {
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '.' || c == '_'; }, '-');
    return CommitHarness({.name = "dfs-" + name,
                          .bootstrap = KafkaBroker::Shared().bootstrap(),
                          .dir = dir_.path(),
                          .dfs = cluster_.get(),
                          .record_count = record_count,
                          .batch_delay_ms = batch_delay_ms});
  }

  const TempDir dir_{"commit-dfs"};
  std::unique_ptr<DfsCluster> cluster_;
};

TEST_P(CommitDfsTest, NothingIsLostOrDoubledWhenTheProcessorDies) {
  CommitHarness job = MakeJob(GetParam());
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto killed,
                       job.Start({.failpoints = std::string(GetParam()) + "=kill@2"}));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, killed->Wait());
  ASSERT_EQ(exit.signal, SIGKILL) << killed->Stderr();

  ASSERT_OK(job.Finish());

  EXPECT_OK(job.Check());
  ASSERT_OK_AND_ASSIGN(const std::string appenders, cluster_->MustDfs({"appenders"}));
  EXPECT_TRUE(AllSettled(appenders)) << appenders;
}

INSTANTIATE_TEST_SUITE_P(Steps,
                         CommitDfsTest,
                         ::testing::Values("commit.after_blocks",
                                           "commit.before_prepare",
                                           "commit.after_prepare",
                                           "commit.after_offsets",
                                           "commit.after_kafka_commit",
                                           "task.mid_batch"),
                         StepName);

class CommitDfsFaultTest : public CommitDfsTest {};

// The last commit at the master is not carried by a next Prepare: it has steps of its own.
TEST_P(CommitDfsFaultTest, FinishedByTheNextRunWhenTheProcessorDiesAtTheEnd) {
  CommitHarness job = MakeJob(GetParam());
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto killed,
                       job.Start({.failpoints = std::string(GetParam()) + "=kill@1"}));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, killed->Wait());
  ASSERT_EQ(exit.signal, SIGKILL) << killed->Stderr();

  ASSERT_OK(job.Finish());

  EXPECT_OK(job.Check());
}

// All is recorded in Kafka, so whoever looks sees a job that is done; only the master does not
// know.
TEST_P(CommitDfsFaultTest, FinishedByAnotherWithFewerWorkers) {
  CommitHarness job = MakeJob(std::string("two-") + GetParam());
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(
      const auto killed,
      job.Start({.failpoints = std::string(GetParam()) + "=kill@2", .workers = 2}));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, killed->Wait());
  ASSERT_EQ(exit.signal, SIGKILL) << killed->Stderr();

  ASSERT_OK(job.Finish());

  EXPECT_OK(job.Check());
  ASSERT_OK_AND_ASSIGN(const std::string appenders, cluster_->MustDfs({"appenders"}));
  EXPECT_TRUE(AllSettled(appenders)) << appenders;
}

INSTANTIATE_TEST_SUITE_P(Steps,
                         CommitDfsFaultTest,
                         ::testing::Values("commit.before_master_commit",
                                           "commit.after_master_commit"),
                         StepName);

class CommitDfsStandbyTest : public CommitDfsTest {};

// The one that lives keeps the tasks that it had, with their open files, and has copies of the
// others.
TEST_P(CommitDfsStandbyTest, NothingIsLostOrDoubledWhenTheOtherProcessDies) {
  constexpr const char* kStandby = "--standby=1";
  CommitHarness job = MakeJob(std::string("standby-") + GetParam(), 200, 150'000);
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto heir, job.Start({.more_flags = {kStandby}}));
  ASSERT_OK(heir->WaitForOutput("task_started"));
  ASSERT_OK_AND_ASSIGN(
      const auto killed,
      job.Start({.failpoints = std::string(GetParam()) + "=kill@4", .more_flags = {kStandby}}));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, killed->Wait());
  ASSERT_EQ(exit.signal, SIGKILL) << killed->Stderr();

  ASSERT_OK_AND_ASSIGN(const ExitStatus end, heir->Wait(std::chrono::seconds(120)));

  EXPECT_EQ(end.code, 0) << heir->Stderr();
  EXPECT_OK(heir->WaitForOutput("task_kept"));
  EXPECT_OK(job.Check());
  ASSERT_OK_AND_ASSIGN(const std::string appenders, cluster_->MustDfs({"appenders"}));
  EXPECT_TRUE(AllSettled(appenders)) << appenders;
}

INSTANTIATE_TEST_SUITE_P(Steps,
                         CommitDfsStandbyTest,
                         ::testing::Values("commit.after_blocks",
                                           "commit.after_prepare",
                                           "commit.after_offsets",
                                           "commit.after_kafka_commit",
                                           "task.mid_batch"),
                         StepName);

class CommitDfsOutageTest : public CommitDfsTest {};

TEST_F(CommitDfsOutageTest, MasterAndADatanodeDieAndComeBack) {
  CommitHarness job = MakeJob("outage", 200);
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({}));
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  ASSERT_TRUE(Eventually([&] { return client.Count(job.sink()).value_or(0) > 0; }));

  cluster_->KillDatanode(1);
  cluster_->KillMaster();
  ASSERT_OK(cluster_->StartMaster());

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait(std::chrono::seconds(120)));
  EXPECT_EQ(exit.code, 0) << process->Stderr();
  ASSERT_OK(cluster_->StartDatanode(1));
  EXPECT_OK(job.Check());
}

// Killed at random instants, by two processes' worth of workers, until it gets through.
TEST_F(CommitDfsOutageTest, SeededRandomKills) {
  const uint32_t seed = 20130101;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> life_ms(400, 2'000);
  CommitHarness job = MakeJob("random", 100, 150'000);
  ASSERT_OK(job.Fill());

  for (int kill = 0; kill < 8; ++kill) {
    ASSERT_OK_AND_ASSIGN(const auto process, job.Start({.workers = 1 + kill % 2}));
    const Result<ExitStatus> exit = process->Wait(std::chrono::milliseconds(life_ms(random)));
    if (exit.ok()) {
      EXPECT_EQ(exit->code, 0) << process->Stderr();
      break;
    }
    process->Kill();
  }
  ASSERT_OK(job.Finish());

  EXPECT_OK(job.Check());
}

TEST_F(CommitDfsOutageTest, FreshRunLeavesNothingOpenBehind) {
  CommitHarness job = MakeJob("fresh");
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto killed,
                       job.Start({.failpoints = "commit.after_kafka_commit=kill@4"}));
  ASSERT_OK(killed->Wait());

  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({.more_flags = {"--fresh"}}));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  EXPECT_EQ(exit.code, 0) << process->Stderr();
  ASSERT_OK_AND_ASSIGN(const std::string appenders, cluster_->MustDfs({"appenders"}));
  EXPECT_TRUE(AllSettled(appenders)) << appenders;
}

// Stopped in the middle of its work: what was read is committed, and nothing is left for a next run
// to finish. That one goes on exactly there.
TEST_F(CommitDfsOutageTest, ATerminatedProcessLeavesNothingPrepared) {
  CommitHarness job = MakeJob("terminated", 100, 100'000);
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({}));
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  ASSERT_TRUE(Eventually([&] { return client.Count(job.sink()).value_or(0) > 0; }));

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Terminate());

  EXPECT_EQ(exit.code, 0) << process->Stderr();
  EXPECT_EQ(process->Stdout().find("drain_incomplete"), std::string::npos);
  ASSERT_OK_AND_ASSIGN(const std::string appenders, cluster_->MustDfs({"appenders"}));
  EXPECT_FALSE(HasPrepared(appenders)) << appenders;
  ASSERT_LT(client.Count(job.sink()).value_or(100'000), 100'000);
  ASSERT_OK(job.Finish());
  EXPECT_OK(job.Check());
}

// The last epoch cannot be committed. That is said, and what Kafka had recorded before shows.
TEST_F(CommitDfsOutageTest, ALastCommitThatFailsIsSaid) {
  CommitHarness job = MakeJob("undrained", 200, 100'000);
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto process,
                       job.Start({.more_flags = {"--commit-interval-ms", "2000"}}));
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  ASSERT_TRUE(Eventually([&] { return client.Count(job.sink()).value_or(0) > 0; }));

  for (int node = 0; node < 3; ++node)
    cluster_->KillDatanode(node);
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Terminate(std::chrono::seconds(60)));

  EXPECT_EQ(exit.code, 0) << process->Stderr();
  EXPECT_NE(process->Stdout().find("drain_incomplete"), std::string::npos) << process->Stdout();
  ASSERT_OK_AND_ASSIGN(const std::string appenders, cluster_->MustDfs({"appenders"}));
  EXPECT_FALSE(HasPrepared(appenders)) << appenders;
  for (int node = 0; node < 3; ++node)
    ASSERT_OK(cluster_->StartDatanode(node));
  ASSERT_OK(job.Finish());
  EXPECT_OK(job.Check());
}

// A user deletes what a task is still writing: those rows are gone, all later ones are there.
TEST_F(CommitDfsOutageTest, DeletedOpenFilesAreFollowedByNewOnes) {
  CommitHarness job = MakeJob("deleted", 200);
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({}));
  ASSERT_TRUE(Eventually([&] {
    return cluster_->MustDfs({"ls", "/dfs-deleted/key=k0"}).value_or("").find("part-") !=
           std::string::npos;
  }));

  ASSERT_OK(cluster_->MustDfs({"rm", "-r", "/dfs-deleted"}));

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait(std::chrono::seconds(120)));
  EXPECT_EQ(exit.code, 0) << process->Stderr();
  EXPECT_NE(process->Stdout().find("file_deleted_by_user"), std::string::npos);
  ASSERT_OK_AND_ASSIGN(const std::string listing, cluster_->MustDfs({"ls", "/dfs-deleted"}));
  EXPECT_NE(listing.find("key=k0"), std::string::npos) << listing;
}

}  // namespace
}  // namespace slipstream::test_support
