// Every step of the commit protocol times every mishap: the processor is killed there, sleeps there
// until another has taken its partitions, or loses the broker there and finds it again. Afterwards
// every record has come out exactly once, in the topic, the files and the counts.
//
// The whole matrix takes minutes: ctest runs it as commit_matrix_test (label long), and a few of
// its cells with the other tests of this binary.

#include <algorithm>
#include <csignal>
#include <ostream>
#include <sstream>
#include <string>
#include <tuple>

#include <gtest/gtest.h>

#include "common/clock/clock.h"
#include "tests/cluster/commit_harness.h"
#include "tests/support/assert_ok.h"
#include "tests/support/dfs_cluster.h"
#include "tests/support/eventually.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

enum class Mishap { kKill, kSleep, kBrokerRestart };

std::ostream& operator<<(std::ostream& out, Mishap mishap) {
  switch (mishap) {
    case Mishap::kKill:
      return out << "kill";
    case Mishap::kSleep:
      return out << "sleep";
    case Mishap::kBrokerRestart:
      return out << "restart";
  }
  return out;
}

using Cell = std::tuple<const char*, Mishap>;

// "restart-commit-after-offsets": fit for jobs and topics.
std::string Name(const Cell& cell) {
  std::ostringstream name;
  name << std::get<Mishap>(cell) << '-' << std::get<const char*>(cell);
  std::string text = name.str();
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '.' || c == '_'; }, '-');
  return text;
}

std::string TestName(const ::testing::TestParamInfo<Cell>& info) {
  std::string name = Name(info.param);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class CommitMatrixTest : public ::testing::TestWithParam<Cell> {
 protected:
  static constexpr std::chrono::milliseconds kSession{3'000};

  struct World {
    TempDir dir{"commit-matrix"};
    std::unique_ptr<KafkaBroker> broker;
    std::unique_ptr<DfsCluster> cluster;
  };

  // One for all cells: they run one after another, under names of their own.
  static void SetUpTestSuite() {
    world_ = std::make_unique<World>();
    ASSERT_OK_AND_ASSIGN(world_->broker, KafkaBroker::Start(world_->dir / "kafka"));
    ASSERT_OK_AND_ASSIGN(world_->cluster,
                         DfsCluster::Start({.dir = world_->dir.path(), .datanodes = 2}));
    ASSERT_OK(world_->cluster->WaitUntilWritable());
  }
  static void TearDownTestSuite() { world_.reset(); }

  // The processes of a cell, their output included, in a folder of its own.
  CommitHarness MakeJob() {
    return CommitHarness({.name = Name(GetParam()),
                          .bootstrap = world_->broker->bootstrap(),
                          .dir = dir_.path(),
                          .dfs = world_->cluster.get(),
                          .record_count = 20'000,
                          .session_timeout_ms = static_cast<int>(kSession.count())});
  }

  static inline std::unique_ptr<World> world_;
  const TempDir dir_{"commit-cell"};
};

TEST_P(CommitMatrixTest, EveryRecordComesOutOnce) {
  const auto& [step, mishap] = GetParam();
  CommitHarness job = MakeJob();
  ASSERT_OK(job.Fill());
  // Not at the first commit, which only pins the start; the master is told once, at the end.
  const bool is_at_master = std::string_view(step).ends_with("master_commit");
  const std::string failpoint = std::string(step) + (mishap == Mishap::kKill ? "=kill" : "=stop") +
                                (is_at_master ? "@1" : "@2");
  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({.failpoints = failpoint}));

  if (mishap == Mishap::kKill) {
    ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());
    ASSERT_EQ(exit.signal, SIGKILL) << process->Stderr();
    ASSERT_OK(job.Finish());
  } else {
    ASSERT_OK(process->WaitForOutput("failpoint " + std::string(step) + " hit"));
    const Clock& clock = SystemClock::Get();
    const SteadyTime wakes_at = clock.Now() + 2 * kSession;
    if (mishap == Mishap::kBrokerRestart) {
      ASSERT_OK(world_->broker->Stop());
      ASSERT_OK(world_->broker->Restart());
    } else {
      ASSERT_OK(job.Finish());
      ASSERT_TRUE(Eventually([&] { return clock.Now() >= wakes_at; }));
    }
    process->Signal(SIGCONT);
    ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait(std::chrono::seconds(120)));
    EXPECT_EQ(exit.code, 0) << process->Stderr();
  }

  EXPECT_OK(job.Check());
}

// What is not run elsewhere in this binary.
INSTANTIATE_TEST_SUITE_P(Some,
                         CommitMatrixTest,
                         ::testing::Values(Cell("commit.after_prepare", Mishap::kSleep),
                                           Cell("commit.after_offsets", Mishap::kBrokerRestart),
                                           Cell("commit.after_kafka_commit",
                                                Mishap::kBrokerRestart)),
                         TestName);

INSTANTIATE_TEST_SUITE_P(
    All,
    CommitMatrixTest,
    ::testing::Combine(::testing::Values("task.mid_batch",
                                         "commit.before_blocks",
                                         "commit.after_blocks",
                                         "commit.before_prepare",
                                         "commit.after_prepare",
                                         "commit.after_begin",
                                         "commit.after_produce",
                                         "commit.after_offsets",
                                         "commit.after_kafka_commit",
                                         "commit.before_master_commit",
                                         "commit.after_master_commit"),
                       ::testing::Values(Mishap::kKill, Mishap::kSleep, Mishap::kBrokerRestart)),
    TestName);

struct Absence {
  std::chrono::milliseconds length;
  std::chrono::milliseconds session;
};

class CommitAbsenceTest : public ::testing::TestWithParam<Absence> {};

// Longer than sessions and transactions last: consumer and producer are of no more use afterwards.
TEST_P(CommitAbsenceTest, TheBrokerIsAwayForLongerThanEveryTimeout) {
  const TempDir dir("commit");
  ASSERT_OK_AND_ASSIGN(const auto broker, KafkaBroker::Start(dir / "kafka"));
  CommitHarness job({.name = "absence",
                     .bootstrap = broker->bootstrap(),
                     .dir = dir.path(),
                     .session_timeout_ms = static_cast<int>(GetParam().session.count()),
                     .batch_delay_ms = 300});
  ASSERT_OK(job.Fill());
  ASSERT_OK_AND_ASSIGN(const auto process, job.Start({.workers = 2}));
  const KafkaClient client(broker->bootstrap());
  ASSERT_TRUE(Eventually([&] { return client.Count(job.sink()).value_or(0) > 0; }));

  ASSERT_OK(broker->Stop());
  const Clock& clock = SystemClock::Get();
  const SteadyTime back_at = clock.Now() + GetParam().length;
  ASSERT_TRUE(Eventually([&] { return clock.Now() >= back_at; }, 2 * GetParam().length));
  ASSERT_TRUE(process->IsRunning());
  ASSERT_OK(broker->Restart());

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait(std::chrono::seconds(120)));
  EXPECT_EQ(exit.code, 0) << process->Stderr();
  // It says so: of a commit that could not be, or of what it waits for, whichever came first.
  const std::string log = process->Stdout();
  EXPECT_TRUE(log.find(" commit_failed worker=") != std::string::npos ||
              log.find(" waiting worker=") != std::string::npos)
      << log;
  EXPECT_OK(job.Check());
}

INSTANTIATE_TEST_SUITE_P(Some,
                         CommitAbsenceTest,
                         ::testing::Values(Absence{std::chrono::seconds(12),
                                                   std::chrono::seconds(3)}));
INSTANTIATE_TEST_SUITE_P(All,
                         CommitAbsenceTest,
                         ::testing::Values(Absence{std::chrono::seconds(60),
                                                   std::chrono::seconds(10)}));

}  // namespace
}  // namespace slipstream::test_support
