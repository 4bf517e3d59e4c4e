// The producer against a real broker: everything arrives once, whatever happens to the broker.

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/http_get.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/metric_value.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// "2013-01-05 0600": sorts as event times do.
std::string EventTime(const json& flight) {
  int schedule = flight["sched_dep_time"].is_null() ? 0 : flight["sched_dep_time"].get<int>();
  std::array<char, 32> text{};
  std::snprintf(text.data(),
                text.size(),
                "%04d-%02d-%02d %04d",
                flight["year"].get<int>(),
                flight["month"].get<int>(),
                flight["day"].get<int>(),
                schedule);
  return text.data();
}

// That `ids` are 0 … count − 1, each once.
void ExpectAllOnce(const std::vector<int64_t>& ids, int64_t count) {
  std::set<int64_t> distinct(ids.begin(), ids.end());
  EXPECT_EQ(static_cast<int64_t>(ids.size()), count);
  EXPECT_EQ(static_cast<int64_t>(distinct.size()), count);
  ASSERT_FALSE(distinct.empty());
  EXPECT_EQ(*distinct.begin(), 0);
  EXPECT_EQ(*distinct.rbegin(), count - 1);
}

std::vector<int64_t> Ids(const std::vector<KafkaRecord>& records) {
  std::vector<int64_t> ids;
  for (const KafkaRecord& record : records) {
    ids.push_back(json::parse(record.value.value_or("{}"))["id"].get<int64_t>());
  }
  return ids;
}

std::vector<int64_t> ReadIds(const std::filesystem::path& path) {
  std::istringstream in(ReadFile(path));
  std::vector<int64_t> ids;
  for (int64_t id = 0; in >> id;)
    ids.push_back(id);
  return ids;
}

// By kind: the devices and times of the messages into which something was planted.
using Planted = std::map<std::string, std::set<std::pair<std::string, std::string>>>;

Planted ReadPlanted(const std::filesystem::path& path) {
  Planted planted;
  std::istringstream lines(ReadFile(path));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "id,kind,event_time,key");
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::array<std::string, 4> field;
    for (std::string& text : field)
      std::getline(fields, text, ',');
    planted[field[1]].emplace(field[3], field[2]);
  }
  return planted;
}

// A time within the first hour of 2024-05-12, as the list of what was planted has it.
std::string OnTheTwelfthOfMay(int64_t time_ms) {
  const int64_t ms = time_ms - 1'715'472'000'000;
  std::array<char, 64> text{};
  std::snprintf(text.data(),
                text.size(),
                "2024-05-12 00:%02d:%02d.%03d",
                static_cast<int>(ms / 60'000),
                static_cast<int>(ms / 1000 % 60),
                static_cast<int>(ms % 1000));
  return text.data();
}

TEST(ProducerTest, FlightsArriveOnceByKeyInOrderOfEventTime) {
  const TempDir dir("producer");
  const KafkaBroker& broker = KafkaBroker::Shared();

  ASSERT_OK_AND_ASSIGN(ToolResult result,
                       RunTool(ProducerCommand({"flights",
                                                "--synthetic",
                                                "--flights=20000",
                                                "--topic=producer-order",
                                                "--partitions=3",
                                                "--acks-file=" + (dir / "acks").string()},
                                               broker.bootstrap())));

  EXPECT_EQ(result.exit.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("rows_sent=20000 rows_acknowledged=20000 rows_skipped=0"));
  ASSERT_OK_AND_ASSIGN(auto records, KafkaClient(broker.bootstrap()).ReadAll("producer-order"));
  ExpectAllOnce(Ids(records), 20'000);
  ExpectAllOnce(ReadIds(dir / "acks"), 20'000);
  std::map<std::string, int32_t> partition_of;
  std::map<int32_t, std::string> last_time;
  for (const KafkaRecord& record : records) {
    json flight = json::parse(*record.value);
    ASSERT_EQ(record.key, flight["origin"].get<std::string>());
    ASSERT_EQ(partition_of.try_emplace(*record.key, record.partition).first->second,
              record.partition);
    std::string time = EventTime(flight);
    ASSERT_GE(time, last_time[record.partition]);
    last_time[record.partition] = time;
    // Brokers delete by it: a replay of 2013 must not be gone before it is read.
    ASSERT_GT(record.timestamp_ms, 1'500'000'000'000);
  }
  EXPECT_EQ(last_time.size(), 3U);
}

TEST(ProducerTest, FaultsArriveAsTheyAreListed) {
  const TempDir dir("producer");
  const KafkaBroker& broker = KafkaBroker::Shared();

  ASSERT_OK_AND_ASSIGN(ToolResult result,
                       RunTool(ProducerCommand({"sensors",
                                                "--profile=alerts",
                                                "--devices=50",
                                                "--speed=max",
                                                "--limit=20000",
                                                "--start=2024-05-12T00:00:00",
                                                "--disorder=2s",
                                                "--late-ratio=0.01",
                                                "--corrupt-ratio=0.01",
                                                "--anomaly-ratio=0.01",
                                                "--planted-file=" + (dir / "planted").string()},
                                               broker.bootstrap())));

  EXPECT_EQ(result.exit.code, 0) << result.err;
  Planted planted = ReadPlanted(dir / "planted");
  const size_t anomalies = planted["anomaly"].size();
  // The profile's own topic, as nobody named one.
  ASSERT_OK_AND_ASSIGN(auto records, KafkaClient(broker.bootstrap()).ReadAll("iot-raw-data"));
  ASSERT_EQ(records.size(), 20'000U);
  size_t corrupt = 0;
  std::map<int32_t, int64_t> latest;  // by partition
  for (const KafkaRecord& record : records) {
    json message = json::parse(*record.value, nullptr, false);
    if (message.is_discarded()) {
      ++corrupt;
      continue;
    }
    ASSERT_EQ(record.key, message["deviceId"].get<std::string>());
    const int64_t time = message["timestamp"];
    const std::pair listed(*record.key, OnTheTwelfthOfMay(time));
    int64_t& last = latest.try_emplace(record.partition, time).first->second;
    if (last - time >= 2'000) {
      EXPECT_EQ(planted["late"].count(listed), 1U) << *record.value;
    }
    last = std::max(last, time);
    planted["anomaly"].erase(listed);
  }
  EXPECT_GT(corrupt, 100U);
  EXPECT_EQ(planted["corrupt"].size(), corrupt);
  EXPECT_GT(planted["late"].size(), 100U);
  EXPECT_TRUE(planted["anomaly"].empty()) << "each one arrived, and can be found by its listing";
  EXPECT_GT(anomalies, 50U);
}

TEST(ProducerTest, ABrokerThatRestartsInMidRunLosesAndDoublesNothing) {
  constexpr int64_t kFlights = 60'000;
  const TempDir dir("producer-restart");
  ASSERT_OK_AND_ASSIGN(auto broker, KafkaBroker::Start(dir / "kafka"));
  const KafkaClient client(broker->bootstrap());
  ProcessOptions command = ProducerCommand({"flights",
                                            "--synthetic",
                                            "--flights=" + std::to_string(kFlights),
                                            "--rate=10000",
                                            "--topic=flights",
                                            "--partitions=3",
                                            "--acks-file=" + (dir / "acks").string()},
                                           broker->bootstrap());
  command.dir = dir.path();
  ASSERT_OK_AND_ASSIGN(auto producer, Process::Start(command));
  auto wait_for = [&](int64_t count) {
    return Eventually([&] {
      Result<int64_t> arrived = client.Count("flights");
      return arrived.ok() && *arrived >= count;
    });
  };

  ASSERT_TRUE(wait_for(10'000));
  ASSERT_OK(broker->Stop());
  ASSERT_OK(broker->Restart());
  ASSERT_TRUE(wait_for(25'000));
  broker->Kill();
  ASSERT_OK(broker->Restart());

  ASSERT_OK_AND_ASSIGN(ExitStatus exit, producer->Wait(std::chrono::minutes(2)));
  EXPECT_EQ(exit.code, 0) << producer->Stderr();
  ASSERT_OK_AND_ASSIGN(auto records, client.ReadAll("flights"));
  ExpectAllOnce(Ids(records), kFlights);
  ExpectAllOnce(ReadIds(dir / "acks"), kFlights);
}

TEST(ProducerTest, ABrokerThatStaysAwayIsAFailureAndTheAcksFileClaimsNothingElse) {
  const TempDir dir("producer-gone");
  ASSERT_OK_AND_ASSIGN(auto broker, KafkaBroker::Start(dir / "kafka"));
  const KafkaClient client(broker->bootstrap());
  ProcessOptions command = ProducerCommand({"flights",
                                            "--synthetic",
                                            "--rate=5000",
                                            "--topic=flights",
                                            "--delivery-timeout=3s",
                                            "--acks-file=" + (dir / "acks").string()},
                                           broker->bootstrap());
  command.dir = dir.path();
  ASSERT_OK_AND_ASSIGN(auto producer, Process::Start(command));
  ASSERT_TRUE(Eventually([&] {
    Result<int64_t> arrived = client.Count("flights");
    return arrived.ok() && *arrived > 5'000;
  }));

  ASSERT_OK(broker->Stop());

  ASSERT_OK_AND_ASSIGN(ExitStatus exit, producer->Wait());
  EXPECT_EQ(exit.code, 1) << producer->Stderr();
  ASSERT_OK(broker->Restart());
  ASSERT_OK_AND_ASSIGN(auto records, client.ReadAll("flights"));
  std::vector<int64_t> arrived = Ids(records);
  std::vector<int64_t> acknowledged = ReadIds(dir / "acks");
  std::sort(arrived.begin(), arrived.end());
  std::sort(acknowledged.begin(), acknowledged.end());
  EXPECT_GT(acknowledged.size(), 4'000U);
  EXPECT_TRUE(
      std::includes(arrived.begin(), arrived.end(), acknowledged.begin(), acknowledged.end()));
}

TEST(ProducerTest, AnInterruptFlushesSumsUpAndExitsWith130) {
  const TempDir dir("producer-interrupt");
  const KafkaBroker& broker = KafkaBroker::Shared();
  const KafkaClient client(broker.bootstrap());
  ProcessOptions command =
      ProducerCommand({"sensors", "--devices=10", "--interval=10ms", "--topic=producer-interrupt"},
                      broker.bootstrap());
  command.dir = dir.path();
  ASSERT_OK_AND_ASSIGN(auto producer, Process::Start(command));
  ASSERT_TRUE(Eventually([&] {
    Result<int64_t> arrived = client.Count("producer-interrupt");
    return arrived.ok() && *arrived > 100;
  }));

  producer->Signal(SIGINT);

  ASSERT_OK_AND_ASSIGN(ExitStatus exit, producer->Wait());
  EXPECT_EQ(exit.code, 130);
  ASSERT_OK_AND_ASSIGN(int64_t arrived, client.Count("producer-interrupt"));
  std::string count = std::to_string(arrived);
  EXPECT_THAT(producer->Stderr(),
              HasSubstr("rows_sent=" + count + " rows_acknowledged=" + count + " "));
}

TEST(ProducerTest, ItsAdminPortShowsItAtWork) {
  const TempDir dir("producer-admin");
  ProcessOptions command =
      ProducerCommand({"sensors", "--devices=10", "--interval=10ms", "--topic=producer-admin"},
                      KafkaBroker::Shared().bootstrap());
  command.dir = dir.path();
  command.is_daemon = true;
  ASSERT_OK_AND_ASSIGN(auto producer, Process::Start(command));
  ASSERT_OK_AND_ASSIGN(ProcessEndpoint endpoint, producer->WaitForEndpoint());

  ASSERT_OK_AND_ASSIGN(HttpAnswer live, HttpGet(endpoint.admin, "/livez"));
  EXPECT_EQ(live.code, 200);
  ASSERT_OK_AND_ASSIGN(HttpAnswer ready, HttpGet(endpoint.admin, "/readyz"));
  EXPECT_EQ(ready.code, 200) << ready.body;
  std::string page;
  EXPECT_TRUE(Eventually([&] {
    Result<HttpAnswer> metrics = HttpGet(endpoint.admin, "/metrics");
    if (!metrics.ok()) return false;
    page = metrics->body;
    return MetricValue(page, "slipstream_producer_rows_acknowledged_total") > 100;
  })) << page;
  const double sent = MetricValue(page, "slipstream_producer_rows_sent_total");
  EXPECT_GE(sent, MetricValue(page, "slipstream_producer_rows_acknowledged_total"));
  EXPECT_GE(MetricValue(page, "slipstream_producer_rows_read_total"), sent);
  EXPECT_EQ(MetricValue(page, "slipstream_producer_rows_skipped_total"), 0);
  EXPECT_EQ(MetricValue(page, "slipstream_producer_acknowledge_failures_total"), 0);
  EXPECT_THAT(page, HasSubstr("slipstream_build_info{daemon=\"producer\",version="));
  ASSERT_OK_AND_ASSIGN(HttpAnswer answer, HttpGet(endpoint.admin, "/status"));
  EXPECT_GE(json::parse(answer.body)["rows_sent"].get<double>(), sent);

  producer->Signal(SIGINT);
  ASSERT_OK_AND_ASSIGN(ExitStatus exit, producer->Wait());
  EXPECT_EQ(exit.code, 130);
}

TEST(ProducerTest, WithoutABrokerItIsAliveAndSaysWhatItWaitsFor) {
  const TempDir dir("producer-waits");
  const std::string nowhere = "127.0.0.1:" + std::to_string(FreePort());
  const std::string admin = "127.0.0.1:" + std::to_string(FreePort());
  ProcessOptions command =
      ProducerCommand({"sensors", "--topic=never", "--admin-listen=" + admin}, nowhere);
  command.dir = dir.path();
  ASSERT_OK_AND_ASSIGN(auto producer, Process::Start(command));
  ASSERT_OK(producer->WaitForOutput("waiting for kafka"));

  ASSERT_OK_AND_ASSIGN(HttpAnswer live, HttpGet(admin, "/livez"));
  EXPECT_EQ(live.code, 200);
  ASSERT_OK_AND_ASSIGN(HttpAnswer ready, HttpGet(admin, "/readyz"));
  EXPECT_EQ(ready.code, 503);
  EXPECT_THAT(ready.body, HasSubstr("no kafka broker answers at " + nowhere));

  producer->Signal(SIGINT);
  ASSERT_OK_AND_ASSIGN(ExitStatus exit, producer->Wait());
  EXPECT_EQ(exit.code, 130);
}

TEST(ProducerTest, ATopicOfAnotherShapeIsRefused) {
  const KafkaBroker& broker = KafkaBroker::Shared();
  ASSERT_OK(KafkaClient(broker.bootstrap()).CreateTopic("producer-shape", 2));

  ASSERT_OK_AND_ASSIGN(
      ToolResult result,
      RunTool(ProducerCommand(
          {"flights", "--synthetic", "--flights=1", "--topic=producer-shape", "--partitions=3"},
          broker.bootstrap())));

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, HasSubstr("topic producer-shape exists with 2 partitions, not 3"));
}

TEST(ProducerTest, NoBrokerIsSaidAndGivenUp) {
  const std::string nowhere = "127.0.0.1:" + std::to_string(FreePort());

  ASSERT_OK_AND_ASSIGN(
      ToolResult result,
      RunTool(ProducerCommand({"flights", "--synthetic", "--flights=1", "--connect-timeout=3s"},
                              nowhere)));

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, HasSubstr("waiting for kafka: no kafka broker answers at " + nowhere));
}

// The commonest trouble with Kafka: the bootstrap address answers, then clients are sent elsewhere.
TEST(ProducerTest, AListenerThatLeadsNowhereIsNamed) {
  const TempDir dir("producer-listener");
  ASSERT_OK_AND_ASSIGN(auto broker, KafkaBroker::Start(dir / "kafka"));
  ASSERT_OK(broker->Stop());
  const std::filesystem::path properties = dir / "kafka/server.properties";
  const std::string nowhere = "127.0.0.1:" + std::to_string(FreePort());
  // Of two settings the last counts.
  ASSERT_OK(WriteFile(
      properties, ReadFile(properties) + "\nadvertised.listeners=PLAINTEXT://" + nowhere + "\n"));
  ASSERT_OK(broker->Restart());

  ASSERT_OK_AND_ASSIGN(
      ToolResult result,
      RunTool(ProducerCommand({"flights", "--synthetic", "--flights=1", "--connect-timeout=3s"},
                              broker->bootstrap())));

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err,
              HasSubstr(broker->bootstrap() + " answers, but its broker 1 advertises " + nowhere));
}

TEST(ProducerTest, MistakesOnTheCommandLineAreUsageErrors) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"flights"},
        {"flights", "--synthetic", "--csv=x.csv"},
        {"flights", "--synthetic", "--speed=fast"},
        {"flights", "--synthetic", "--key=colour"},
        {"sensors", "--interval=2x"},
        {"sensors", "--profile=birds"},
        {"sensors", "--start=soon"},
        {"sensors", "--csv=x.csv", "--profile=iot"},
        {"sensors", "--csv=x.csv", "--anomaly-ratio=0.1"},
        {"sensors", "--late-ratio=0.6", "--corrupt-ratio=0.6"},
        {"birds"}}) {
    ASSERT_OK_AND_ASSIGN(ToolResult result, RunTool(ProducerCommand(args, "127.0.0.1:1")));
    EXPECT_EQ(result.exit.code, 2) << result.err;
    EXPECT_FALSE(result.err.empty());
  }
  ASSERT_OK_AND_ASSIGN(
      ToolResult result,
      RunTool(ProducerCommand({"flights", "--csv=/nowhere/flights.csv"}, "127.0.0.1:1")));
  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, HasSubstr("/nowhere/flights.csv"));
}

}  // namespace
}  // namespace slipstream::test_support
