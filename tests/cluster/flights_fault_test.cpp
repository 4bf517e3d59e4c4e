// The flights' jobs through faults: killed at the steps that matter and at random instants, with a
// datanode gone, spread over workers and processes. What they store is what an undisturbed run
// stores, line for line.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <ostream>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/cluster/flight_truth.h"
#include "tests/cluster/flights_checks.h"
#include "tests/cluster/flights_pipeline.h"
#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/http_get.h"
#include "tests/support/metric_value.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

using std::chrono::milliseconds;

constexpr int kFlights = 60'000;
// The shortest that a user would ask for: faults then strike among many commits.
constexpr const char* kCommitInterval = "--commit-interval=0.1";
// Part of what a worker logs of each partition that it takes over.
constexpr const char* kAtWork = "logger=processor.takeover";
constexpr std::array<const char*, 2> kJobs = {"flights_by_carrier", "flights_delays"};

// All that the two jobs stored.
struct Tables {
  // The files' lines, sorted; each flight's begins with its carrier.
  std::vector<std::string> flights;
  std::vector<std::string> delays;
  // The same as the query engine reads and orders it.
  std::vector<std::string> flights_csv;
  std::vector<std::string> delays_csv;
};

// Ordered by all columns.
constexpr const char* kAllFlights =
    "SELECT * FROM flights_by_carrier ORDER BY id, `year`, `month`, `day`, dep_time, "
    "sched_dep_time, dep_delay, arr_time, sched_arr_time, arr_delay, carrier, flight, tailnum, "
    "origin, dest, air_time, distance, `hour`, `minute`, time_hour, name";
constexpr const char* kAllDelays =
    "SELECT * FROM delays ORDER BY origin, carrier, window_start, window_end, delayed_flights, "
    "avg_arr_delay, max_arr_delay";

void ExpectSameLines(const std::vector<std::string>& actual,
                     const std::vector<std::string>& expected,
                     const char* table) {
  EXPECT_EQ(actual.size(), expected.size()) << table;
  const auto [left, right] =
      std::mismatch(actual.begin(), actual.end(), expected.begin(), expected.end());
  if (left == actual.end() && right == expected.end()) return;
  ADD_FAILURE() << table << ": the first difference in sorted lines is at " << left - actual.begin()
                << "\n  is:        " << (left == actual.end() ? "(end)" : *left)
                << "\n  should be: " << (right == expected.end() ? "(end)" : *right);
}

// The seed of this run's instants: SLIPSTREAM_TEST_SEED, or another one each time.
uint32_t Seed() {
  const char* given = std::getenv("SLIPSTREAM_TEST_SEED");
  const uint32_t seed = given != nullptr ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10))
                                         : std::random_device()();
  fmt::print("SLIPSTREAM_TEST_SEED={}\n", seed);
  return seed;
}

class FlightsFaultTest : public ::testing::Test {
 protected:
  // One pipeline for all tests, with the topic filled and the undisturbed results known.
  static void SetUpTestSuite() {
    dir_ = std::make_unique<TempDir>("flights-fault");
    csv_ = *dir_ / "year.csv";
    ASSERT_OK_AND_ASSIGN(pipeline_, FlightsPipeline::Start(dir_->path()));
    ASSERT_OK_AND_ASSIGN(ToolResult result,
                         RunTool({.program = "producer",
                                  .args = {"flights",
                                           "--synthetic",
                                           fmt::format("--flights={}", kFlights),
                                           "--seed=2",
                                           "--write-csv=" + csv_}}));
    ASSERT_EQ(result.exit.code, 0) << result.err;
    ASSERT_OK(pipeline_->Send({"--csv=" + csv_}));
    for (const char* job : kJobs)
      ASSERT_OK(pipeline_->RunJob({.job = job}));
    ASSERT_OK_AND_ASSIGN(const FlightTruth truth, FlightTruth::Read(csv_));
    ASSERT_OK_AND_ASSIGN(const auto flights, pipeline_->StoredFlights(""));
    ExpectStoredFlights(truth, flights);
    ASSERT_OK_AND_ASSIGN(undisturbed_, ReadTables(""));
    ExpectDelays(truth, undisturbed_.delays);
    EXPECT_EQ(undisturbed_.flights_csv.size(), undisturbed_.flights.size() + 1);  // the header
    EXPECT_EQ(undisturbed_.delays_csv.size(), undisturbed_.delays.size() + 1);
    is_ready_ = !HasFailure();
  }
  static void TearDownTestSuite() {
    pipeline_.reset();
    dir_.reset();
  }

  void SetUp() override { ASSERT_TRUE(is_ready_) << "the undisturbed run failed"; }

  static Result<Tables> ReadTables(const std::string& variant) {
    Tables tables;
    ASSIGN_OR_RETURN(const auto flights, pipeline_->StoredFlights(variant));
    for (const auto& [carrier, lines] : flights) {
      for (const std::string& line : lines)
        tables.flights.push_back(fmt::format("{} {}", carrier, line));
    }
    ASSIGN_OR_RETURN(tables.delays, pipeline_->StoredLines(variant, "delays/*"));
    ASSIGN_OR_RETURN(std::string csv,
                     pipeline_->Query({.job = kJobs[0], .variant = variant}, kAllFlights));
    tables.flights_csv = Lines(csv);
    ASSIGN_OR_RETURN(csv, pipeline_->Query({.job = kJobs[1], .variant = variant}, kAllDelays));
    tables.delays_csv = Lines(csv);
    return tables;
  }

  static void ExpectUndisturbed(const std::string& variant) {
    ASSERT_OK_AND_ASSIGN(const Tables tables, ReadTables(variant));
    ExpectSameLines(tables.flights, undisturbed_.flights, "flights");
    ExpectSameLines(tables.delays, undisturbed_.delays, "delays");
    ExpectSameLines(tables.flights_csv, undisturbed_.flights_csv, "flights as csv");
    ExpectSameLines(tables.delays_csv, undisturbed_.delays_csv, "delays as csv");
  }

  static std::unique_ptr<TempDir> dir_;
  static std::unique_ptr<FlightsPipeline> pipeline_;
  static std::string csv_;
  static Tables undisturbed_;
  static bool is_ready_;
};

std::unique_ptr<TempDir> FlightsFaultTest::dir_;
std::unique_ptr<FlightsPipeline> FlightsFaultTest::pipeline_;
std::string FlightsFaultTest::csv_;
Tables FlightsFaultTest::undisturbed_;
bool FlightsFaultTest::is_ready_ = false;

// ---- Killed at a step ----

struct Step {
  const char* name;
  // With slow batches, so that there are many commits however fast the machine is.
  const char* failpoints;
};
void PrintTo(const Step& step, std::ostream* out) {
  *out << step.failpoints;
}

class FlightsKillTest : public FlightsFaultTest, public ::testing::WithParamInterface<Step> {};

TEST_P(FlightsKillTest, TheResultIsThatOfAnUndisturbedRun) {
  const std::string variant = GetParam().name;
  std::vector<std::unique_ptr<Process>> jobs;
  for (const char* job : kJobs) {
    ASSERT_OK_AND_ASSIGN(jobs.emplace_back(),
                         pipeline_->StartJob({.job = job,
                                              .variant = variant,
                                              .failpoints = GetParam().failpoints,
                                              .more_flags = {kCommitInterval}}));
  }
  for (const auto& job : jobs) {
    ASSERT_OK_AND_ASSIGN(const ExitStatus exit, job->Wait());
    ASSERT_EQ(exit.signal, SIGKILL) << job->Stderr();
  }

  for (const char* job : kJobs)
    ASSERT_OK(pipeline_->RunJob({.job = job, .variant = variant}));

  ExpectUndisturbed(variant);
}

INSTANTIATE_TEST_SUITE_P(
    Steps,
    FlightsKillTest,
    ::testing::Values(Step{"prepared", "task.mid_batch=delay:100;commit.after_prepare=kill@3"},
                      Step{"committed",
                           "task.mid_batch=delay:100;commit.after_kafka_commit=kill@3"},
                      Step{"mid-batch", "commit.before_blocks=delay:100;task.mid_batch=kill@8"}),
    [](const ::testing::TestParamInfo<Step>& step) {
      std::string name = step.param.name;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

// ---- A transaction that comes to nothing ----

TEST_F(FlightsFaultTest, AnAbortedTransactionShowsInTheMetricsAndChangesNothing) {
  for (const char* job : kJobs) {
    const FlightsPipeline::Run run{.job = job,
                                   .variant = "aborted",
                                   .is_bounded = false,
                                   .failpoints = "commit.after_produce=error:aborted@2",
                                   .more_flags = {kCommitInterval}};
    ASSERT_OK_AND_ASSIGN(const auto process, pipeline_->StartJob(run));
    ASSERT_OK_AND_ASSIGN(const ProcessEndpoint endpoint, process->WaitForEndpoint());
    std::string page;
    EXPECT_TRUE(Eventually([&] {
      const Result<HttpAnswer> metrics = HttpGet(endpoint.admin, "/metrics");
      if (metrics.ok()) page = metrics->body;
      return MetricValue(page, "slipstream_processor_commits_failed_total") == 1 &&
             MetricValue(page, "slipstream_processor_commits_total") > 1;
    })) << page;
    EXPECT_GE(MetricValue(page, "slipstream_processor_takeovers_total"), 2);
    EXPECT_GT(MetricValue(page, "slipstream_processor_commit_seconds_sum"), 0);
    EXPECT_GT(MetricValue(page, "slipstream_processor_commit_seconds_count"), 2);
    ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Terminate());
    EXPECT_EQ(exit.code, 0) << process->Stderr();
    ASSERT_OK(pipeline_->RunJob({.job = job, .variant = "aborted"}));
  }

  ExpectUndisturbed("aborted");
}

// ---- Killed at random ----

struct Kill {
  milliseconds delay;
  size_t job;  // index in kJobs
};

// Starts both jobs and kills each after its delay, the earlier one first. The time runs from the
// start, or, with `is_at_work`, from when both have their partitions: so that kills strike work
// and not only beginnings, however slow the machine is.
Status StartAndKill(FlightsPipeline& pipeline,
                    const std::string& topic,
                    bool is_at_work,
                    std::array<Kill, kJobs.size()> kills) {
  std::array<std::unique_ptr<Process>, kJobs.size()> jobs;
  for (size_t i = 0; i < kJobs.size(); ++i) {
    ASSIGN_OR_RETURN(jobs[i],
                     pipeline.StartJob({.job = kJobs[i],
                                        .variant = "killed",
                                        .topic = topic,
                                        .is_bounded = false,
                                        .more_flags = {kCommitInterval}}));
  }
  if (is_at_work) {
    for (const auto& job : jobs)
      RETURN_IF_ERROR(job->WaitForOutput(kAtWork));
  }
  const auto start = std::chrono::steady_clock::now();
  std::sort(
      kills.begin(), kills.end(), [](const Kill& a, const Kill& b) { return a.delay < b.delay; });
  for (const Kill& kill : kills) {
    std::this_thread::sleep_until(start + kill.delay);
    Process& job = *jobs[kill.job];
    if (!job.IsRunning()) return Internal("it ended by itself: " + job.Stderr());
    job.Kill();
  }
  return {};
}

TEST_F(FlightsFaultTest, TwentyKillsAtRandomInstantsAndALostDatanodeChangeNothing) {
  constexpr int kRounds = 20;
  constexpr int kDatanodeRound = 9;
  const uint32_t seed = Seed();
  SCOPED_TRACE(fmt::format("SLIPSTREAM_TEST_SEED={}", seed));
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> delays_ms(50, 1'500);
  const std::string topic = "killed-topic";
  ASSERT_OK_AND_ASSIGN(const auto producer,
                       pipeline_->StartSending({"--csv=" + csv_, "--rate=2000"}, topic));

  for (int round = 0; round < kRounds; ++round) {
    if (round == kDatanodeRound) pipeline_->dfs().KillDatanode(0);
    std::array<Kill, kJobs.size()> kills;
    for (size_t i = 0; i < kJobs.size(); ++i)
      kills[i] = {.delay = milliseconds(delays_ms(random)), .job = i};
    ASSERT_OK(StartAndKill(*pipeline_, topic, round % 2 == 1, kills)) << "round " << round;
  }

  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, producer->Wait());
  ASSERT_EQ(exit.code, 0) << producer->Stderr();
  for (const char* job : kJobs)
    ASSERT_OK(pipeline_->RunJob({.job = job, .variant = "killed", .topic = topic}));
  ExpectUndisturbed("killed");
  ASSERT_OK(pipeline_->dfs().StartDatanode(0));
}

// ---- Spread over workers and processes ----

TEST_F(FlightsFaultTest, TwoWorkersStoreWhatOneStores) {
  std::vector<std::unique_ptr<Process>> jobs;
  for (const char* job : kJobs) {
    ASSERT_OK_AND_ASSIGN(jobs.emplace_back(),
                         pipeline_->StartJob({.job = job, .variant = "workers", .workers = 2}));
  }
  for (const auto& job : jobs) {
    ASSERT_OK_AND_ASSIGN(const ExitStatus exit, job->Wait());
    ASSERT_EQ(exit.code, 0) << job->Stderr();
  }

  ExpectUndisturbed("workers");
}

// The committed offsets of a group on a topic of three partitions; 0 for a partition without one.
Result<std::array<int64_t, 3>> Positions(const FlightsPipeline& pipeline,
                                         const std::string& group,
                                         const std::string& topic) {
  ASSIGN_OR_RETURN(const auto offsets, pipeline.client().CommittedOffsets(group, topic));
  std::array<int64_t, 3> positions{};
  for (const auto& [partition, offset] : offsets)
    positions.at(static_cast<size_t>(partition)) = offset;
  return positions;
}

TEST_F(FlightsFaultTest, AnotherProcessGoesOnWithin25SecondsOfAKill) {
  constexpr std::chrono::seconds kDeadline(25);
  const std::string topic = "shared-topic";
  ASSERT_OK_AND_ASSIGN(const auto producer,
                       pipeline_->StartSending({"--csv=" + csv_, "--rate=2500"}, topic));
  std::array<std::vector<std::unique_ptr<Process>>, 2> processes;  // two for each job
  for (auto& process : processes) {
    for (const char* job : kJobs) {
      ASSERT_OK_AND_ASSIGN(process.emplace_back(),
                           pipeline_->StartJob({.job = job,
                                                .variant = "shared",
                                                .topic = topic,
                                                .is_bounded = false,
                                                .more_flags = {kCommitInterval}}));
    }
    for (const auto& job : process)
      ASSERT_OK(job->WaitForOutput(kAtWork));
  }
  const std::array<std::string, 2> groups = {"shared-flights_by_carrier", "shared-flights_delays"};
  std::array<std::array<int64_t, 3>, 2> before{};
  for (size_t i = 0; i < groups.size(); ++i) {
    ASSERT_OK_AND_ASSIGN(before[i], Positions(*pipeline_, groups[i], topic));
  }

  for (const auto& job : processes[0])
    job->Kill();

  EXPECT_TRUE(Eventually(
      [&] {
        for (size_t i = 0; i < groups.size(); ++i) {
          const auto now = Positions(*pipeline_, groups[i], topic);
          if (!now.ok()) return false;
          for (size_t partition = 0; partition < now->size(); ++partition) {
            if ((*now)[partition] <= before[i][partition]) return false;
          }
        }
        return true;
      },
      kDeadline));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, producer->Wait());
  ASSERT_EQ(exit.code, 0) << producer->Stderr();
  for (const auto& job : processes[1]) {
    ASSERT_OK_AND_ASSIGN(const ExitStatus job_exit, job->Terminate());
    EXPECT_EQ(job_exit.code, 0) << job->Stderr();
  }
  for (const char* job : kJobs)
    ASSERT_OK(pipeline_->RunJob({.job = job, .variant = "shared", .topic = topic}));
  ExpectUndisturbed("shared");
}

}  // namespace
}  // namespace slipstream::test_support
