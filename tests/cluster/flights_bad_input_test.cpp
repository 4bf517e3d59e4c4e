// Records that are no flights among those that are: every good one is stored once, every bad one
// lies once in the dead-letter topic, with its origin and what is wrong with it.

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cluster/flight_truth.h"
#include "tests/cluster/flights_checks.h"
#include "tests/cluster/flights_pipeline.h"
#include "tests/support/assert_ok.h"
#include "tests/support/job_commands.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// Close to the most that brokers and clients take without being told otherwise.
constexpr size_t kLargeBytes = 990'000;

struct BadRecord {
  std::string value;
  std::string error;  // part of what is said of it
};

// No JSON, or not of the right types: bad for every job.
std::vector<BadRecord> Malformed() {
  return {{.value = "not json", .error = ""},
          {.value = R"({"id":7,"year":2013,"mon)", .error = ""},
          {.value = R"({"id":7,"year":"last"})", .error = "year"},
          {.value = std::string(kLargeBytes, '{'), .error = ""}};
}

class FlightsBadInputTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = std::make_unique<TempDir>("flights-bad");
    ASSERT_OK_AND_ASSIGN(pipeline_, FlightsPipeline::Start(dir_->path()));
    csv_ = *dir_ / "year.csv";
    ASSERT_OK_AND_ASSIGN(
        ToolResult result,
        RunTool(
            {.program = "producer",
             .args = {
                 "flights", "--synthetic", "--flights=3000", "--seed=3", "--write-csv=" + csv_}}));
    ASSERT_EQ(result.exit.code, 0) << result.err;
  }
  static void TearDownTestSuite() {
    pipeline_.reset();
    dir_.reset();
  }

  // What the producer would send, in order.
  static Result<std::vector<std::string>> Messages(const std::vector<std::string>& more_flags) {
    std::vector<std::string> args = {"flights", "--csv=" + csv_, "--dry-run"};
    args.insert(args.end(), more_flags.begin(), more_flags.end());
    ASSIGN_OR_RETURN(ToolResult result, RunTool({.program = "producer", .args = std::move(args)}));
    return Lines(result.out);
  }

  // Fills a new topic with `messages`, and in between with `bad` ones, with records that are no
  // rows, with one object that is very large, and with one record of two rows. Returns the bad
  // records as they lie in the topic, in the order of `bad`.
  static Result<std::vector<KafkaRecord>> Fill(const std::string& topic,
                                               const std::vector<std::string>& messages,
                                               const std::vector<BadRecord>& bad) {
    std::vector<KafkaRecord> records;
    for (const std::string& message : messages)
      records.push_back({.key = json::parse(message).at("origin"), .value = message});
    std::string& first = *records.front().value;
    first.insert(1, fmt::format(R"("padding":"{}",)", std::string(kLargeBytes, 'x')));
    // Two that follow one another under one key may share a record: an array.
    for (size_t i = 0; i + 1 < records.size(); ++i) {
      if (records[i].key != records[i + 1].key) continue;
      records[i].value = fmt::format("[{},{}]", *records[i].value, *records[i + 1].value);
      records.erase(records.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      break;
    }
    const size_t step = records.size() / (bad.size() + 1);
    for (size_t i = 0; i < bad.size(); ++i) {
      const auto at = records.begin() + static_cast<std::ptrdiff_t>((i + 1) * step);
      records.insert(at,
                     {{.key = fmt::format("bad-{}", i), .value = bad[i].value},
                      {.key = "empty", .value = ""},
                      {.key = "tombstone", .value = std::nullopt}});
    }
    const KafkaClient client = pipeline_->client();
    RETURN_IF_ERROR(client.CreateTopic(topic, 3));
    RETURN_IF_ERROR(client.Produce(topic, records));
    ASSIGN_OR_RETURN(const std::vector<KafkaRecord> stored, client.ReadAll(topic));
    std::vector<KafkaRecord> origins(bad.size());
    for (size_t i = 0; i < bad.size(); ++i) {
      origins[i] = *std::find_if(stored.begin(), stored.end(), [&](const KafkaRecord& record) {
        return record.key == fmt::format("bad-{}", i);
      });
    }
    return origins;
  }

  // That each bad record is there `times` times, and nothing else.
  static void ExpectDeadLetters(const std::string& topic,
                                const std::vector<BadRecord>& bad,
                                const std::vector<KafkaRecord>& origins,
                                size_t times) {
    ASSERT_OK_AND_ASSIGN(const auto letters, pipeline_->client().ReadAll(topic + ".dead-letter"));
    EXPECT_EQ(letters.size(), bad.size() * times);
    std::map<std::string, size_t> seen;  // by key
    for (const KafkaRecord& letter : letters) {
      const std::string key = letter.key.value_or("(none)");
      const auto origin = std::find_if(
          origins.begin(), origins.end(), [&](const auto& record) { return record.key == key; });
      ASSERT_NE(origin, origins.end()) << key;
      ++seen[key];
      const BadRecord& record = bad[static_cast<size_t>(origin - origins.begin())];
      std::map<std::string, std::string> headers(letter.headers.begin(), letter.headers.end());
      EXPECT_EQ(headers["slipstream.topic"], topic);
      EXPECT_EQ(headers["slipstream.partition"], std::to_string(origin->partition));
      EXPECT_EQ(headers["slipstream.offset"], std::to_string(origin->offset));
      EXPECT_FALSE(headers["slipstream.error"].empty());
      EXPECT_THAT(headers["slipstream.error"], HasSubstr(record.error));
      // A letter with its headers must not be more than a broker takes.
      const bool is_cut = headers["slipstream.truncated"] == "true";
      EXPECT_EQ(is_cut, record.value.size() >= kLargeBytes);
      EXPECT_TRUE(is_cut
                      ? record.value.rfind(*letter.value, 0) == 0 && letter.value->size() > 500'000
                      : letter.value == record.value)
          << key;
    }
    for (const auto& [key, count] : seen)
      EXPECT_EQ(count, times) << key;
  }

  static std::unique_ptr<TempDir> dir_;
  static std::unique_ptr<FlightsPipeline> pipeline_;
  static std::string csv_;
};

std::unique_ptr<TempDir> FlightsBadInputTest::dir_;
std::unique_ptr<FlightsPipeline> FlightsBadInputTest::pipeline_;
std::string FlightsBadInputTest::csv_;

TEST_F(FlightsBadInputTest, ARecordWithoutEventTimeOrMeaningIsPutAside) {
  const std::string topic = "timed";
  ASSERT_OK_AND_ASSIGN(const FlightTruth truth, FlightTruth::Read(csv_));
  std::vector<BadRecord> bad = Malformed();
  bad.push_back({.value = R"({"id":-1,"carrier":"XX","origin":"JFK"})",
                 .error = "the event time ts is NULL"});
  bad.push_back({.value = R"({"id":-2,"year":null,"month":1,"day":1})",
                 .error = "the event time ts is NULL"});
  ASSERT_OK_AND_ASSIGN(const auto messages, Messages({}));
  ASSERT_OK_AND_ASSIGN(const auto origins, Fill(topic, messages, bad));
  const FlightsPipeline::Run structured{
      .job = "flights_structured", .variant = "timed", .topic = topic};
  const FlightsPipeline::Run delays{.job = "flights_delays", .variant = "timed", .topic = topic};

  ASSERT_OK(pipeline_->RunJob(structured));

  ASSERT_OK_AND_ASSIGN(const auto flights, pipeline_->StructuredFlights("timed"));
  ExpectStructuredFlights(truth, flights);
  ExpectDeadLetters(topic, bad, origins, 1);
  ASSERT_OK_AND_ASSIGN(const int64_t dead,
                       pipeline_->Counter(FlightsPipeline::JobName(structured), "rows_dead"));
  EXPECT_EQ(dead, static_cast<int64_t>(bad.size()));

  // A second job over the topic puts its own letters beside them.
  ASSERT_OK(pipeline_->RunJob(delays));

  ASSERT_OK_AND_ASSIGN(const auto lines, pipeline_->StoredLines("timed", "delays/*"));
  ExpectDelays(truth, lines);
  ExpectDeadLetters(topic, bad, origins, 2);
}

// Many producers send numbers in quotes; the jobs take them as they are.
TEST_F(FlightsBadInputTest, NumbersInQuotesAreNumbers) {
  const std::string topic = "quoted";
  ASSERT_OK_AND_ASSIGN(const FlightTruth truth, FlightTruth::Read(csv_));
  const std::vector<BadRecord> bad = Malformed();
  ASSERT_OK_AND_ASSIGN(const auto messages, Messages({"--numbers-as-strings"}));
  ASSERT_THAT(messages.front(), HasSubstr(R"("year":"2013")"));
  ASSERT_OK_AND_ASSIGN(const auto origins, Fill(topic, messages, bad));

  ASSERT_OK(pipeline_->RunJob({.job = "flights_by_carrier", .variant = "quoted", .topic = topic}));

  ASSERT_OK_AND_ASSIGN(const auto flights, pipeline_->StoredFlights("quoted"));
  ExpectStoredFlights(truth, flights);
  ExpectDeadLetters(topic, bad, origins, 1);
}

}  // namespace
}  // namespace slipstream::test_support
