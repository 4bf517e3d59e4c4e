#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "producer/csv/rejected_rows.h"
#include "producer/sensors/weather_message.h"
#include "producer/sensors/weather_replay.h"
#include "producer/sensors/weather_simulator.h"
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

TEST(WeatherMessageTest, IsSpelledAsTheTopicHasIt) {
  std::string out;
  AppendJson(WeatherMessage{.client = "station-001",
                            .time = local_days(2024y / 5 / 12) + std::chrono::hours(2) +
                                    std::chrono::minutes(11) + std::chrono::milliseconds(37'900),
                            .temperature_celsius = -0.004,
                            .humidity_percent = 48.256},
             out);
  EXPECT_EQ(out,
            R"({"client":"station-001","ts":"2024-05-12 02:11:37","temperature":0,)"
            R"("humidity":48.26})");

  out.clear();
  AppendJson(WeatherMessage{.client = "x",
                            .time = local_days(2024y / 5 / 12),
                            .temperature_celsius = -3.5,
                            .humidity_percent = std::nullopt},
             out);
  EXPECT_EQ(out, R"({"client":"x","ts":"2024-05-12 00:00:00","temperature":-3.5,"humidity":null})");
}

WeatherSimulator::Options ThreeStations() {
  WeatherSimulator::Options options;
  options.devices = 4;
  options.intervals = {seconds(2), seconds(5), seconds(10)};
  options.start = local_days(2024y / 5 / 12);
  return options;
}

TEST(WeatherSimulatorTest, EveryStationReportsAtItsInterval) {
  WeatherSimulator simulator(ThreeStations());
  std::map<std::string, std::vector<int64_t>> reports;
  auto last = ThreeStations().start;
  Record record;

  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(simulator.Next(record), true);
    ASSERT_GE(record.event_time, last);
    last = record.event_time;
    reports[std::string(record.key)].push_back(
        std::chrono::duration_cast<seconds>(record.event_time - ThreeStations().start).count());
  }

  ASSERT_EQ(reports.size(), 4U);
  EXPECT_THAT(std::vector(reports["station-001"].begin(), reports["station-001"].begin() + 3),
              ElementsAre(0, 2, 4));
  EXPECT_THAT(std::vector(reports["station-003"].begin(), reports["station-003"].begin() + 3),
              ElementsAre(0, 10, 20));
  EXPECT_THAT(std::vector(reports["station-004"].begin(), reports["station-004"].begin() + 3),
              ElementsAre(0, 2, 4));
}

TEST(WeatherSimulatorTest, TheSameSeedIsTheSameWeather) {
  WeatherSimulator a(ThreeStations());
  WeatherSimulator b(ThreeStations());
  WeatherSimulator::Options other = ThreeStations();
  other.seed = 2;
  WeatherSimulator c(other);

  std::vector<std::string> messages = Take(a, 500);

  EXPECT_EQ(Take(b, 500), messages);
  EXPECT_NE(Take(c, 500), messages);
}

TEST(WeatherSimulatorTest, ValuesStayWithinReason) {
  WeatherSimulator::Options options = ThreeStations();
  options.devices = 50;
  options.intervals = {std::chrono::minutes(10)};
  WeatherSimulator simulator(options);

  for (const std::string& value : Take(simulator, 50 * 144)) {
    json message = json::parse(value);
    EXPECT_GT(message["temperature"], -25);
    EXPECT_LT(message["temperature"], 50);
    EXPECT_GE(message["humidity"], 3);
    EXPECT_LE(message["humidity"], 100);
  }
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
