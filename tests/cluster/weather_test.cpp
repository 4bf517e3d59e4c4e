// Weather end to end: producer → weather_data → weather_1m, an upsert topic of one-minute averages.

#include <cmath>
#include <map>
#include <regex>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assert_ok.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

using nlohmann::json;

// A row of weather_1m, by client and minute ("2024-05-12 02:11").
struct Minute {
  std::optional<double> temperature;
  std::optional<double> humidity;
};
using Minutes = std::map<std::pair<std::string, std::string>, Minute>;

// AVG: of the values that are there.
class Average {
 public:
  void Add(const json& value) {
    if (value.is_null()) return;
    ++count_;
    sum_ += value.get<long double>();
  }
  std::optional<double> value() const {
    if (count_ == 0) return std::nullopt;
    return static_cast<double>(sum_ / count_);
  }

 private:
  int count_ = 0;
  long double sum_ = 0;
};

// What the messages of the source topic come to.
Minutes Expected(const std::vector<KafkaRecord>& messages) {
  std::map<std::pair<std::string, std::string>, std::pair<Average, Average>> averages;
  for (const KafkaRecord& message : messages) {
    const json object = json::parse(message.value.value_or("{}"));
    const std::string minute = object.at("ts").get<std::string>().substr(0, 16);
    auto& [temperature, humidity] = averages[{object.at("client"), minute}];
    temperature.Add(object.at("temperature"));
    humidity.Add(object.at("humidity"));
  }
  Minutes minutes;
  for (const auto& [key, average] : averages)
    minutes[key] = {.temperature = average.first.value(), .humidity = average.second.value()};
  return minutes;
}

void ExpectClose(const json& actual, const std::optional<double>& expected) {
  ASSERT_EQ(actual.is_null(), !expected.has_value()) << actual;
  if (!expected) return;
  EXPECT_NEAR(actual.get<double>(), *expected, 1e-9);
}

// That each minute was upserted once, under its client as the key, in order of time.
void ExpectUpserts(const std::vector<KafkaRecord>& upserts, const Minutes& expected) {
  EXPECT_EQ(upserts.size(), expected.size());
  std::map<std::string, std::string> last_minute;  // by client
  for (const KafkaRecord& upsert : upserts) {
    ASSERT_TRUE(upsert.key && upsert.value);
    const json row = json::parse(*upsert.value);
    const std::string client = row.at("client");
    EXPECT_EQ(json::parse(*upsert.key), json({{"client", client}}));
    // The last second of the minute.
    const std::string time = row.at("row_time");
    ASSERT_EQ(time.size(), 8U) << time;
    EXPECT_EQ(time.substr(5), ":59");
    const std::string minute = row.at("row_date").get<std::string>() + " " + time.substr(0, 5);
    EXPECT_LT(last_minute[client], minute);
    last_minute[client] = minute;
    const auto found = expected.find({client, minute});
    ASSERT_NE(found, expected.end()) << *upsert.value;
    ExpectClose(row.at("temperature"), found->second.temperature);
    ExpectClose(row.at("humidity"), found->second.humidity);
  }
}

Status Send(std::vector<std::string> args) {
  args.insert(args.begin(), "sensors");
  ASSIGN_OR_RETURN(ToolResult result,
                   RunTool(ProducerCommand(std::move(args), KafkaBroker::Shared().bootstrap())));
  if (result.exit.code == 0) return {};
  return Internal(result.err);
}

Status RunBounded(const std::filesystem::path& job, const TempDir& dir) {
  ASSIGN_OR_RETURN(
      std::unique_ptr<Process> process,
      Process::Start(Command({.job = job,
                              .brokers = KafkaBroker::Shared().bootstrap(),
                              .master = "",
                              .is_bounded = true,
                              .more_flags = {"--state-dir=" + (dir / "state").string()}},
                             dir.path(),
                             "weather")));
  ASSIGN_OR_RETURN(ExitStatus exit, process->Wait());
  if (exit.code == 0) return {};
  return Internal(process->Stderr());
}

TEST(WeatherTest, MinutesOfSimulatedStations) {
  const TempDir dir("weather");
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  ASSERT_OK(Send({"--profile=weather",
                  "--devices=7",
                  "--interval=2s,5s,10s",
                  "--seed=5",
                  "--speed=max",
                  "--limit=5000"}));

  ASSERT_OK(RunBounded(SourceDir() / "jobs/weather_1m.sql", dir));

  ASSERT_OK_AND_ASSIGN(const auto messages, client.ReadAll("weather_data"));
  ASSERT_EQ(messages.size(), 5'000U);
  ASSERT_OK_AND_ASSIGN(const auto upserts, client.ReadAll("weather_1m"));
  ExpectUpserts(upserts, Expected(messages));
  ASSERT_OK_AND_ASSIGN(const auto letters, client.ReadAll("weather_data.dead-letter"));
  EXPECT_EQ(letters.size(), 0U);
}

TEST(WeatherTest, HoursOfRealStationsWithGaps) {
  const TempDir dir("weather");
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  const std::string csv = dir / "weather.csv";
  ASSERT_OK(WriteFile(
      csv,
      "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,"
      "visib,time_hour\n"
      "EWR,2013,1,1,1,39.02,26.06,59.37,270,10.357,NA,0,1012,10,2013-01-01T06:00:00Z\n"
      "EWR,2013,1,1,2,NA,26.96,61.63,250,8.05546,NA,0,1012.3,10,2013-01-01T07:00:00Z\n"
      "EWR,2013,12,31,19,14,NA,NA,NA,NA,NA,0,NA,10,2014-01-01T00:00:00Z\n"
      "LGA,2013,1,1,1,32,26.06,57.33,250,14.96014,NA,0,1011.4,10,2013-01-01T06:00:00Z\n"));
  // Another test has the shipped topics; the job is the shipped one but for their names.
  const std::string job = dir / "gaps_1m.sql";
  ASSERT_OK(WriteFile(
      job,
      std::regex_replace(
          ReadFile(SourceDir() / "jobs/weather_1m.sql"), std::regex("weather_"), "gaps_")));
  ASSERT_OK(Send({"--csv=" + csv, "--speed=max", "--topic=gaps_data"}));

  ASSERT_OK(RunBounded(job, dir));

  ASSERT_OK_AND_ASSIGN(const auto upserts, client.ReadAll("gaps_1m"));
  ExpectUpserts(upserts,
                {{{"EWR", "2013-01-01 06:00"}, {.temperature = 3.9, .humidity = 59.37}},
                 {{"EWR", "2013-01-01 07:00"}, {.temperature = std::nullopt, .humidity = 61.63}},
                 {{"EWR", "2014-01-01 00:00"}, {.temperature = -10, .humidity = std::nullopt}},
                 {{"LGA", "2013-01-01 06:00"}, {.temperature = 0, .humidity = 57.33}}});
}

}  // namespace
}  // namespace slipstream::test_support
