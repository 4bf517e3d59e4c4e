// The two anomaly jobs that are shipped, over seeded readings with planted anomalies: how well they
// find them, and nothing else.

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <numbers>
#include <random>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "processor/engine/job_compiler.h"
#include "processor/planner/planner.h"
#include "tests/sql/collected_output.h"

namespace slipstream::sql {
namespace {

constexpr int kDevices = 10;
constexpr int kReadings = 2'000;  // of each device, one a second
constexpr double kNoiseCelsius = 0.3;
constexpr double kAnomalyShare = 0.005;

struct Readings {
  std::vector<std::string> records;
  std::set<std::string> planted;  // "d3 2024-05-12 00:10:07"
};

// A slow swing for each device, noise, and now and then 5 to 10 degrees too many or too few.
Readings MakeReadings(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise(0, kNoiseCelsius);
  std::uniform_real_distribution<double> share(0, 1);
  Readings made;
  for (int second = 0; second < kReadings; ++second) {
    for (int device = 0; device < kDevices; ++device) {
      const double swing = 5 * std::sin(2 * std::numbers::pi * (second + 300 * device) / 7'200);
      double celsius = 20 + device + swing + noise(random);
      const std::string time = fmt::format(
          "2024-05-12 {:02}:{:02}:{:02}", second / 3'600, second / 60 % 60, second % 60);
      if (second > 60 && share(random) < kAnomalyShare) {
        celsius += (share(random) < 0.5 ? -1 : 1) * (5 + 5 * share(random));
        made.planted.insert(fmt::format("d{} {}", device, time));
      }
      made.records.push_back(fmt::format(
          R"({{"device_id":"d{}","timestamp":"{}.000","temperature":{:.3f},"humidity":50,"status":"ok"}})",
          device,
          time,
          celsius));
    }
  }
  return made;
}

std::string ReadJob(const std::string& name) {
  const char* const folder = std::getenv("SLIPSTREAM_SOURCE_DIR");
  std::ifstream in(std::string(folder == nullptr ? "." : folder) + "/jobs/" + name + ".sql");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// What the job says is an anomaly, as MakeReadings names them.
std::set<std::string> RunJob(const std::string& name, const Readings& readings) {
  const JobPlan plan = Planner({}).Plan(name, ReadJob(name)).value();
  const auto program = CompileJob(plan, {.is_bounded = false, .partition_count = {}}).value();
  const auto task = program->MakeSourceTask(0, "iot_sensor_data", 0);
  CollectedOutput output;
  output.Describe(program->kafka_sinks(), program->file_sinks());
  std::vector<runtime::InputRecord> records(readings.records.size());
  for (size_t i = 0; i < records.size(); ++i)
    records[i].value = readings.records[i];
  EXPECT_EQ(task->Process(records, nullptr, output), Status());
  EXPECT_EQ(task->EndOfInput(output), Status());
  std::set<std::string> found;
  for (const std::string& line : output.lines["topic " + name]) {
    const size_t device = line.find(R"("device_id":")") + 13;
    const size_t time = line.find(R"("ts":")") + 6;
    found.insert(line.substr(device, 2) + " " + line.substr(time, 19));
  }
  return found;
}

class AnomalyJobTest : public testing::TestWithParam<std::string> {};

TEST_P(AnomalyJobTest, FindsWhatWasPlanted) {
  const Readings readings = MakeReadings(20'240'512);

  const std::set<std::string> found = RunJob(GetParam(), readings);

  size_t hits = 0;
  for (const std::string& one : found)
    hits += readings.planted.count(one);
  const double f1 =
      2 * static_cast<double>(hits) / static_cast<double>(found.size() + readings.planted.size());
  RecordProperty("f1", fmt::format("{:.3f}", f1));
  EXPECT_GT(readings.planted.size(), 50U);
  EXPECT_GE(f1, 0.9) << "planted " << readings.planted.size() << ", found " << found.size()
                     << ", of these planted " << hits;
}

INSTANTIATE_TEST_SUITE_P(Shipped,
                         AnomalyJobTest,
                         testing::Values("sensor_anomalies", "sensor_anomalies_robust"),
                         [](const auto& job) { return job.param; });

}  // namespace
}  // namespace slipstream::sql
