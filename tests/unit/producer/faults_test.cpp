#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "producer/faults/faulty_source.h"
#include "producer/pipeline/planted_file.h"
#include "producer/sensors/sensor_simulator.h"
#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"

namespace slipstream::producer {
namespace {

using nlohmann::json;
using std::chrono::local_days;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::literals::chrono_literals::operator""y;
using Time = std::chrono::local_time<milliseconds>;

constexpr int64_t kRecords = 20'000;

// The first so many records of another source.
class Head final : public RecordSource {
 public:
  Head(RecordSource& source, int64_t count) : source_(source), left_(count) {}
  Result<bool> Next(Record& record) override {
    return left_-- > 0 ? source_.Next(record) : Result<bool>(false);
  }

 private:
  RecordSource& source_;
  int64_t left_;
};

struct Sent {
  int64_t id;
  Time time;
  milliseconds held_back;
  Planted planted;
  std::string key;
  std::string value;
  bool operator==(const Sent&) const = default;
};

SensorSimulator::Options Sensors() {
  SensorSimulator::Options options;
  options.profile = FindSensorProfile("iot");
  options.devices = 100;
  options.start = local_days(2024y / 5 / 12);
  return options;
}

// What becomes of kRecords readings of a hundred sensors, one a second each.
std::vector<Sent> SendThrough(const FaultySource::Options& options, double anomaly_ratio = 0) {
  SensorSimulator::Options sensors = Sensors();
  sensors.anomaly_ratio = anomaly_ratio;
  SensorSimulator simulator(sensors);
  Head head(simulator, kRecords);
  FaultySource faulty(head, options);
  std::vector<Sent> sent;
  Record record;
  while (faulty.Next(record) == true) {
    sent.push_back({record.id,
                    record.event_time,
                    record.held_back,
                    record.planted,
                    std::string(record.key),
                    std::string(record.value)});
  }
  return sent;
}

std::vector<int64_t> SortedIds(const std::vector<Sent>& sent) {
  std::vector<int64_t> ids;
  for (const Sent& record : sent)
    ids.push_back(record.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<int64_t> AllIds() {
  std::vector<int64_t> ids(kRecords);
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST(FaultySourceTest, WithoutFaultsItIsTheSource) {
  std::vector<Sent> sent = SendThrough({});
  SensorSimulator simulator(Sensors());
  Record record;

  ASSERT_EQ(sent.size(), static_cast<size_t>(kRecords));
  for (const Sent& one : sent) {
    ASSERT_EQ(simulator.Next(record), true);
    ASSERT_EQ(one.id, record.id);
    ASSERT_EQ(one.key, record.key);
    ASSERT_EQ(one.value, record.value);
    ASSERT_EQ(one.held_back.count(), 0);
  }
}

TEST(FaultySourceTest, DisorderStaysBelowItsBoundAndLosesNothing) {
  std::vector<Sent> sent = SendThrough({.disorder = seconds(3)});

  EXPECT_EQ(SortedIds(sent), AllIds());
  Time latest = sent.front().time;
  Time due = sent.front().time;
  milliseconds worst{0};
  int out_of_order = 0;
  for (const Sent& record : sent) {
    latest = std::max(latest, record.time);
    worst = std::max(worst, latest - record.time);
    if (record.time < latest) ++out_of_order;
    EXPECT_GE(record.time + record.held_back, due) << "records leave when they are due";
    due = record.time + record.held_back;
  }
  EXPECT_LT(worst, seconds(3));
  EXPECT_GT(worst, milliseconds(2'500));
  EXPECT_GT(out_of_order, kRecords / 2);
}

TEST(FaultySourceTest, LateRecordsAreLaterThanAnyWatermarkWaits) {
  std::vector<Sent> sent =
      SendThrough({.disorder = seconds(2), .late_ratio = 0.02, .late_by = seconds(10)});

  EXPECT_EQ(SortedIds(sent), AllIds());
  const Time end = Sensors().start + seconds(kRecords / 100);
  Time latest = sent.front().time;
  int late = 0;
  for (const Sent& record : sent) {
    latest = std::max(latest, record.time);
    bool has_end_behind_it = record.time + seconds(12) < end;
    if (record.planted == Planted::kLate) {
      ++late;
      // The last ones have nothing left to be later than.
      if (has_end_behind_it) {
        EXPECT_GE(latest - record.time, milliseconds(9'900));
      }
      EXPECT_LT(latest - record.time, seconds(22));
    } else {
      EXPECT_LT(latest - record.time, seconds(2));
    }
  }
  EXPECT_NEAR(late, 400, 80);
}

TEST(FaultySourceTest, CorruptRecordsAreNoJsonAndTheOthersAre) {
  std::vector<Sent> sent = SendThrough({.corrupt_ratio = 0.05});

  EXPECT_EQ(SortedIds(sent), AllIds());
  int corrupt = 0;
  for (const Sent& record : sent) {
    EXPECT_FALSE(record.value.empty());
    EXPECT_EQ(json::accept(record.value), record.planted != Planted::kCorrupt) << record.value;
    if (record.planted == Planted::kCorrupt) ++corrupt;
  }
  EXPECT_NEAR(corrupt, 1'000, 150);
}

TEST(FaultySourceTest, AnomaliesAreSparedSoThatTheyCanBeFound) {
  std::vector<Sent> plain = SendThrough({}, 0.05);
  std::vector<Sent> sent =
      SendThrough({.late_ratio = 0.5, .late_by = seconds(1), .corrupt_ratio = 0.5}, 0.05);

  std::map<int64_t, std::string> anomalies;
  for (const Sent& record : plain) {
    if (record.planted == Planted::kAnomaly) anomalies[record.id] = record.value;
  }
  ASSERT_GT(anomalies.size(), 500U);
  for (const Sent& record : sent) {
    if (record.planted != Planted::kAnomaly) continue;
    EXPECT_EQ(record.value, anomalies[record.id]);
    EXPECT_EQ(record.held_back.count(), 0);
    anomalies.erase(record.id);
  }
  EXPECT_TRUE(anomalies.empty());
}

TEST(FaultySourceTest, TheSameSeedIsTheSameFaults) {
  FaultySource::Options options{
      .disorder = seconds(2), .late_ratio = 0.01, .corrupt_ratio = 0.01, .seed = 3};
  std::vector<Sent> sent = SendThrough(options);

  EXPECT_EQ(SendThrough(options), sent);
  options.seed = 4;
  EXPECT_NE(SendThrough(options), sent);
}

// Time stands still, so that nothing is ever due.
class Endless final : public RecordSource {
 public:
  Result<bool> Next(Record& record) override {
    record = {.key = "k", .value = R"({"a":1})", .event_time = Time(milliseconds(0))};
    return true;
  }
};

TEST(FaultySourceTest, HoldsBackNoMoreThanItMay) {
  Endless endless;
  FaultySource faulty(endless, {.late_ratio = 1, .late_by = seconds(1)});
  Record record;

  EXPECT_EQ(faulty.Next(record).error().code(), Code::kResourceExhausted);
}

TEST(PlantedFileTest, ListsWhatWasPlantedAndNothingElse) {
  test_support::TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto file, PlantedFile::Create(dir.path() / "planted.csv"));
  Record record{.key = "device-001",
                .value = "{}",
                .event_time = local_days(2024y / 5 / 12) + milliseconds(7'897'090),
                .id = 7};
  ASSERT_OK(file->Add(record));
  record.planted = Planted::kAnomaly;
  ASSERT_OK(file->Add(record));
  record = {.key = "a \"b\", c", .id = 8, .planted = Planted::kLate};
  ASSERT_OK(file->Add(record));
  record = {.id = 9, .planted = Planted::kCorrupt};
  ASSERT_OK(file->Add(record));
  ASSERT_OK(file->Write());

  std::ifstream in(dir.path() / "planted.csv");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}),
            "id,kind,event_time,key\n"
            "7,anomaly,2024-05-12 02:11:37.090,device-001\n"
            "8,late,1970-01-01 00:00:00.000,\"a \"\"b\"\", c\"\n"
            "9,corrupt,1970-01-01 00:00:00.000,\n");
}

TEST(PlantedFileTest, AFileThatCannotBeWrittenIsAnError) {
  EXPECT_FALSE(PlantedFile::Create("/nowhere/planted.csv").ok());
  ASSERT_OK_AND_ASSIGN(auto file, PlantedFile::Create("/dev/full"));
  EXPECT_FALSE(file->Write().ok());
}

}  // namespace
}  // namespace slipstream::producer
