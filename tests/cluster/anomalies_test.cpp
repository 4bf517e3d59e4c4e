// The shipped anomaly jobs against the producer's truth: readings with planted anomalies go through
// Kafka, disordered within the watermark's delay, and what the jobs find is compared with what the
// producer says it has planted.

#include <set>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assert_ok.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

constexpr double kGoal = 0.9;
constexpr char kTopic[] = "iot_sensor_data";  // as the job files have it

// Device and time; jobs leave out the zeros at a time's end.
std::string Name(const std::string& device, std::string time) {
  if (time.find('.') != std::string::npos) {
    time.erase(time.find_last_not_of('0') + 1);
    if (time.ends_with('.')) time.pop_back();
  }
  return device + " " + time;
}

// The anomalies of a planted file: id,kind,event_time,key.
std::set<std::string> Planted(const std::filesystem::path& path) {
  std::istringstream lines(ReadFile(path));
  std::set<std::string> planted;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string id;
    std::string kind;
    std::string time;
    std::string key;
    std::getline(fields, id, ',');
    std::getline(fields, kind, ',');
    std::getline(fields, time, ',');
    std::getline(fields, key);
    if (kind == "anomaly") planted.insert(Name(key, time));
  }
  return planted;
}

class AnomaliesTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    dir_ = new TempDir("anomalies");
    ProcessOptions producer =
        ProducerCommand({"sensors",
                         "--profile=iot",
                         std::string("--topic=") + kTopic,
                         "--partitions=3",
                         "--devices=20",
                         "--limit=40000",
                         "--speed=max",
                         "--start=2024-05-12T00:00:00",
                         "--seed=7",
                         "--anomaly-ratio=0.005",
                         "--disorder=3s",
                         "--quiet",
                         "--planted-file=" + (*dir_ / "planted.csv").string()},
                        KafkaBroker::Shared().bootstrap());
    producer.dir = dir_->path();
    const Result<ToolResult> made = RunTool(std::move(producer));
    ASSERT_OK(made);
    ASSERT_EQ(made->exit.code, 0) << made->err;
  }
  static void TearDownTestSuite() {
    delete dir_;
    dir_ = nullptr;
  }

  static TempDir* dir_;
  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};
};

TempDir* AnomaliesTest::dir_ = nullptr;

TEST_P(AnomaliesTest, FindsWhatTheProducerPlanted) {
  const std::string job = GetParam();
  const ProcessorRun run{.job = SourceDir() / "jobs" / (job + ".sql"),
                         .brokers = KafkaBroker::Shared().bootstrap(),
                         .is_bounded = true,
                         .more_flags = {"--state-dir=" + (*dir_ / "state").string()}};
  ASSERT_OK_AND_ASSIGN(const auto process, Process::Start(Command(run, dir_->path(), job)));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());
  ASSERT_EQ(exit.code, 0) << process->Stderr();

  const std::set<std::string> planted = Planted(*dir_ / "planted.csv");
  ASSERT_OK_AND_ASSIGN(const std::vector<KafkaRecord> records, client_.ReadAll(job));
  std::set<std::string> found;
  size_t hits = 0;
  for (const KafkaRecord& record : records) {
    const auto row = nlohmann::json::parse(record.value.value_or("{}"));
    const std::string name = Name(row.at("device_id"), row.at("ts"));
    if (found.insert(name).second) hits += planted.count(name);
  }
  const double f1 =
      2 * static_cast<double>(hits) / static_cast<double>(found.size() + planted.size());
  EXPECT_EQ(found.size(), records.size()) << "some were found twice";
  EXPECT_GT(planted.size(), 100U);
  EXPECT_GE(f1, kGoal) << fmt::format(
      "planted {}, found {}, of these planted {}", planted.size(), found.size(), hits);
  RecordProperty("f1", fmt::format("{:.3f}", f1));
}

INSTANTIATE_TEST_SUITE_P(Shipped,
                         AnomaliesTest,
                         ::testing::Values("sensor_anomalies", "sensor_anomalies_robust"),
                         [](const auto& job) { return job.param; });

}  // namespace
}  // namespace slipstream::test_support
