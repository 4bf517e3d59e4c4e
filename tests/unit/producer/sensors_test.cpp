#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "producer/csv/rejected_rows.h"
#include "producer/sensors/reading.h"
#include "producer/sensors/sensor_profile.h"
#include "producer/sensors/sensor_simulator.h"
#include "producer/sensors/weather_replay.h"
#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/producer/test_sources.h"

namespace slipstream::producer {
namespace {

using nlohmann::json;
using std::chrono::local_days;
using std::chrono::seconds;
using std::literals::chrono_literals::operator""y;
using ::testing::ElementsAre;

std::vector<std::string> Take(RecordSource& source, size_t count) {
  std::vector<std::string> values;
  Record record;
  while (values.size() < count && source.Next(record) == true)
    values.emplace_back(record.value);
  return values;
}

Reading SomeReading() {
  return {.device = "device-001",
          .site = "producer-01",
          .time = local_days(2024y / 5 / 12) + std::chrono::hours(2) + std::chrono::minutes(11) +
                  std::chrono::milliseconds(37'090),
          .temperature_celsius = -3.5,
          .humidity_percent = 48.256};
}

std::string Spelled(void (*append_json)(const Reading&, std::string&), const Reading& reading) {
  std::string out;
  append_json(reading, out);
  return out;
}

TEST(ReadingTest, WeatherIsInWholeSeconds) {
  Reading reading = SomeReading();
  EXPECT_EQ(Spelled(AppendWeatherJson, reading),
            R"({"client":"device-001","ts":"2024-05-12 02:11:37","temperature":-3.5,)"
            R"("humidity":48.26})");

  reading.temperature_celsius = -0.004;
  reading.humidity_percent = std::nullopt;
  EXPECT_EQ(Spelled(AppendWeatherJson, reading),
            R"({"client":"device-001","ts":"2024-05-12 02:11:37","temperature":0,)"
            R"("humidity":null})");
}

TEST(ReadingTest, IotHasMillisecondsAndAStatus) {
  Reading reading = SomeReading();
  EXPECT_EQ(Spelled(AppendIotJson, reading),
            R"({"device_id":"device-001","timestamp":"2024-05-12 02:11:37.090",)"
            R"("temperature":-3.5,"humidity":48.26,"status":"active"})");

  reading.has_low_battery = true;
  EXPECT_TRUE(Spelled(AppendIotJson, reading).ends_with(R"("status":"low_battery"})"));
}

TEST(ReadingTest, AlertsCountMillisecondsSince1970) {
  EXPECT_EQ(Spelled(AppendAlertsJson, SomeReading()),
            R"({"deviceId":"device-001","temperature":-3.5,"humidity":48.26,)"
            R"("timestamp":1715479897090})");
}

TEST(ReadingTest, TemperaturesAreInIso8601) {
  EXPECT_EQ(Spelled(AppendTemperatureJson, SomeReading()),
            R"({"producer":"producer-01","timestamp":"2024-05-12T02:11:37.090Z",)"
            R"("sensor_id":"device-001","temperature":-3.5})");
}

SensorSimulator::Options FourDevices(std::string_view profile = "weather") {
  SensorSimulator::Options options;
  options.profile = FindSensorProfile(profile);
  options.devices = 4;
  options.start = local_days(2024y / 5 / 12);
  return options;
}

TEST(SensorSimulatorTest, EveryDeviceReportsAtItsInterval) {
  SensorSimulator simulator(FourDevices());
  std::map<std::string, std::vector<std::chrono::milliseconds>> reports;
  auto last = FourDevices().start;
  Record record;

  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(simulator.Next(record), true);
    ASSERT_GE(record.event_time, last);
    last = record.event_time;
    reports[std::string(record.key)].push_back(record.event_time - FourDevices().start);
  }

  ASSERT_EQ(reports.size(), 4U);
  const std::vector<std::pair<std::string, seconds>> intervals = {{"station-001", seconds(2)},
                                                                  {"station-002", seconds(5)},
                                                                  {"station-003", seconds(10)},
                                                                  {"station-004", seconds(2)}};
  for (const auto& [name, interval] : intervals) {
    const auto& times = reports[name];
    ASSERT_GT(times.size(), 5U);
    EXPECT_LT(times[0], interval);
    for (size_t i = 1; i < times.size(); ++i) {
      EXPECT_EQ(times[i] - times[i - 1], interval) << name;
    }
  }
}

TEST(SensorSimulatorTest, ThousandsOfDevicesAreASteadyStream) {
  SensorSimulator::Options options = FourDevices("temperature");
  options.devices = 10'000;
  SensorSimulator simulator(options);
  std::map<int64_t, int> by_tenth;
  std::set<std::string> devices;
  Record record;

  for (int i = 0; i < 20'000; ++i) {  // ten seconds, two reports each
    ASSERT_EQ(simulator.Next(record), true);
    devices.emplace(record.key);
    ++by_tenth[(record.event_time - options.start).count() / 100];
  }

  EXPECT_EQ(devices.size(), 10'000U);
  ASSERT_EQ(by_tenth.size(), 100U);
  for (const auto& [tenth, count] : by_tenth)
    EXPECT_NEAR(count, 200, 5) << tenth;
}

TEST(SensorSimulatorTest, TheSameSeedIsTheSameReadings) {
  for (const SensorProfile& profile : SensorProfiles()) {
    SensorSimulator a(FourDevices(profile.name));
    SensorSimulator b(FourDevices(profile.name));
    SensorSimulator::Options other = FourDevices(profile.name);
    other.seed = 2;
    SensorSimulator c(other);

    std::vector<std::string> messages = Take(a, 500);

    EXPECT_EQ(Take(b, 500), messages);
    EXPECT_NE(Take(c, 500), messages);
  }
}

TEST(SensorSimulatorTest, ValuesStayWithinReason) {
  for (const SensorProfile& profile : SensorProfiles()) {
    SensorSimulator::Options options = FourDevices(profile.name);
    options.devices = 50;
    options.intervals = {std::chrono::minutes(10)};
    SensorSimulator simulator(options);

    for (const std::string& value : Take(simulator, 50 * 144)) {
      json message = json::parse(value);
      EXPECT_GT(message["temperature"], -25);
      EXPECT_LT(message["temperature"], 50);
      EXPECT_GE(message.value("humidity", 50.0), 3);
      EXPECT_LE(message.value("humidity", 50.0), 100);
    }
  }
}

TEST(SensorSimulatorTest, AlertsAreNeitherAlwaysNorNever) {
  SensorSimulator::Options options = FourDevices("alerts");
  options.devices = 50;
  SensorSimulator simulator(options);
  int alerts = 0;

  for (const std::string& value : Take(simulator, 5'000))
    alerts += json::parse(value)["temperature"] > 30.0 ? 1 : 0;

  EXPECT_GT(alerts, 250);
  EXPECT_LT(alerts, 4'750);
}

TEST(SensorSimulatorTest, AnomaliesAreMarkedAndNothingElseChanges) {
  SensorSimulator::Options options = FourDevices("temperature");
  SensorSimulator plain(options);
  options.anomaly_ratio = 0.01;
  SensorSimulator planted(options);
  std::map<std::string, uint32_t> readings;
  int anomalies = 0;
  Record plain_record;
  Record record;

  for (int i = 0; i < 40'000; ++i) {
    ASSERT_EQ(plain.Next(plain_record), true);
    ASSERT_EQ(planted.Next(record), true);
    ASSERT_EQ(plain_record.planted, Planted::kNothing);
    uint32_t reading = readings[std::string(record.key)]++;
    if (record.planted == Planted::kNothing) {
      ASSERT_EQ(record.value, plain_record.value);
      continue;
    }
    ASSERT_EQ(record.planted, Planted::kAnomaly);
    EXPECT_GE(reading, SensorSimulator::kWarmUpReadings);
    double off = json::parse(record.value)["temperature"].get<double>() -
                 json::parse(plain_record.value)["temperature"].get<double>();
    EXPECT_GE(std::abs(off), SensorSimulator::kAnomalyCelsiusMin - 0.01);
    EXPECT_LE(std::abs(off), SensorSimulator::kAnomalyCelsiusMax + 0.01);
    ++anomalies;
  }

  EXPECT_NEAR(anomalies, 400, 80);
}

class WeatherReplayTest : public ::testing::Test {
 protected:
  std::vector<std::string> Replay(const std::string& csv) {
    ScratchFile file("weather.csv", csv);
    WeatherReplay replay({.file = file.path(), .temp_directory = dir_.path()}, rejected_);
    EXPECT_OK(replay.Load());
    return Take(replay, 100);
  }

  test_support::TempDir dir_;
  RejectedRows rejected_{[](const std::string&) {}};
};

TEST_F(WeatherReplayTest, FahrenheitBecomesCelsiusInOrderOfTime) {
  EXPECT_THAT(
      Replay("origin,year,temp,humid,time_hour\n"
             "JFK,2013,39.02,59.37,2013-01-01T07:00:00Z\n"
             "EWR,2013,212,0,2013-01-01T06:00:00Z\n"
             "LGA,2013,NA,NA,2013-01-01T06:00:00Z\n"),
      ElementsAre(
          R"({"client":"EWR","ts":"2013-01-01 06:00:00","temperature":100,"humidity":0})",
          R"({"client":"LGA","ts":"2013-01-01 06:00:00","temperature":null,"humidity":null})",
          R"({"client":"JFK","ts":"2013-01-01 07:00:00","temperature":3.9,"humidity":59.37})"));
  EXPECT_EQ(rejected_.count(), 0U);
}

TEST_F(WeatherReplayTest, RowsThatCannotBeReadAreRejected) {
  EXPECT_EQ(Replay("origin,temp,humid,time_hour\n"
                   "JFK,39.02,59.37,yesterday\n"
                   "JFK,39.02,59.37,2013-02-30T06:00:00Z\n"
                   "JFK,warm,59.37,2013-01-01T06:00:00Z\n"
                   "JFK,39.02,59.37\n"
                   ",39.02,59.37,2013-01-01T06:00:00Z\n"
                   "JFK,39.02,59.37,2013-01-01 06:00:00\n")
                .size(),
            1U);
  EXPECT_EQ(rejected_.count(), 5U);
}

TEST_F(WeatherReplayTest, AFileOfSomethingElseIsRefused) {
  ScratchFile file("flights.csv", "year,month\n2013,1\n");
  WeatherReplay replay({.file = file.path(), .temp_directory = dir_.path()}, rejected_);

  EXPECT_EQ(replay.Load().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace slipstream::producer
