// A real broker keeps what it acknowledged: the ground that every other cluster test stands on.

#include "tests/support/kafka_broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/kafka_client.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::vector<std::string> Values(const std::vector<KafkaRecord>& records) {
  std::vector<std::string> values;
  for (const KafkaRecord& record : records)
    values.push_back(record.value.value_or("(none)"));
  return values;
}

TEST(KafkaBrokerTest, RecordsOutliveCleanAndUncleanRestarts) {
  const TempDir dir("kafka");
  ASSERT_OK_AND_ASSIGN(const auto broker, KafkaBroker::Start(dir.path()));
  const KafkaClient client(broker->bootstrap());
  ASSERT_OK(client.CreateTopic("flights", 1));
  ASSERT_OK(client.Produce("flights", {{.key = "a", .value = "1"}, {.key = "b"}}));

  ASSERT_OK(broker->Stop());
  ASSERT_OK(broker->Restart());
  ASSERT_OK(client.Produce("flights", {{.value = "2"}}));
  broker->Kill();
  ASSERT_OK(broker->Restart());

  ASSERT_OK_AND_ASSIGN(const auto records, client.ReadAll("flights"));
  EXPECT_THAT(Values(records), ElementsAre("1", "(none)", "2"));
  EXPECT_EQ(records[0].key, "a");
  EXPECT_EQ(records[2].offset, 2);
  ASSERT_OK_AND_ASSIGN(const auto topics, client.Topics());
  EXPECT_THAT(topics, ElementsAre(Pair("flights", 1)));
}

TEST(KafkaBrokerTest, MoreRecordsThanTheClientsQueueHolds) {
  constexpr int kRecords = 150'000;  // librdkafka's queue holds 100,000
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  ASSERT_OK(client.CreateTopic("many", 3));
  std::vector<KafkaRecord> records;
  for (int i = 0; i < kRecords; ++i) {
    records.push_back({.key = std::to_string(i % 100), .value = std::to_string(i)});
  }

  ASSERT_OK(client.Produce("many", records));

  ASSERT_OK_AND_ASSIGN(const int64_t count, client.Count("many"));
  EXPECT_EQ(count, kRecords);
}

TEST(KafkaBrokerTest, HeadersPartitionAndTimestampComeBack) {
  const KafkaClient client(KafkaBroker::Shared().bootstrap());
  ASSERT_OK(client.CreateTopic("details", 2));

  ASSERT_OK(client.Produce("details",
                           {{.value = "x",
                             .partition = 1,
                             .timestamp_ms = 1'357'034'400'000,
                             .headers = {{"origin", "JFK"}, {"empty", ""}}}}));

  ASSERT_OK_AND_ASSIGN(const auto records, client.ReadAll("details"));
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].partition, 1);
  EXPECT_EQ(records[0].timestamp_ms, 1'357'034'400'000);
  EXPECT_THAT(records[0].headers, ElementsAre(Pair("origin", "JFK"), Pair("empty", "")));
}

TEST(KafkaBrokerTest, UnknownTopicIsNeverMade) {
  const KafkaClient client(KafkaBroker::Shared().bootstrap(), std::chrono::seconds(2));

  EXPECT_FALSE(client.Produce("misspelt", {{.value = "x"}}).ok());

  EXPECT_EQ(client.ReadAll("misspelt").status().code(), Code::kNotFound);
  EXPECT_EQ(client.CreateTopic("details", 1).code(), Code::kAlreadyExists);
}

}  // namespace
}  // namespace slipstream::test_support
