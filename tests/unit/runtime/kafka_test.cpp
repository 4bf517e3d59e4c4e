// What common/kafka does without a broker, and against librdkafka's own mock of one where that is
// enough: never anything about transactions.

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include "common/kafka/admin.h"
#include "common/kafka/error_map.h"
#include "common/kafka/group_metadata.h"
#include "common/kafka/producer.h"
#include "common/kafka/reachability.h"

namespace slipstream::kafka {
namespace {

using std::chrono::milliseconds;

// Nothing listens there: a port of the reserved range.
constexpr const char* kNobody = "127.0.0.1:1";

TEST(KafkaErrorTest, CodesSayWhatToDo) {
  EXPECT_TRUE(StatusFromKafka(RD_KAFKA_RESP_ERR_NO_ERROR, "x").ok());
  EXPECT_EQ(StatusFromKafka(RD_KAFKA_RESP_ERR__TRANSPORT, "x").code(), Code::kUnavailable);
  EXPECT_EQ(StatusFromKafka(RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT, "x").code(),
            Code::kUnavailable);
  EXPECT_EQ(StatusFromKafka(RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, "x").code(),
            Code::kUnavailable);
  EXPECT_EQ(StatusFromKafka(RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, "x").code(), Code::kUnavailable);
  EXPECT_EQ(StatusFromKafka(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "x").code(), Code::kNotFound);
  EXPECT_EQ(StatusFromKafka(RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, "x").code(), Code::kAborted);
  EXPECT_EQ(StatusFromKafka(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "x").code(),
            Code::kResourceExhausted);
  EXPECT_EQ(StatusFromKafka(9'999, "x").code(), Code::kInternal);
}

std::string Serialised(int32_t generation, const std::string& member) {
  rd_kafka_consumer_group_metadata_t* metadata =
      rd_kafka_consumer_group_metadata_new_with_genid("group", generation, member.c_str(), "me");
  void* bytes = nullptr;
  size_t size = 0;
  rd_kafka_consumer_group_metadata_write(metadata, &bytes, &size);
  std::string serialised(static_cast<const char*>(bytes), size);
  rd_kafka_consumer_group_metadata_destroy(metadata);
  free(bytes);
  return serialised;
}

TEST(GroupMetadataTest, FieldsAreReadFromLibrdkafkasBytes) {
  const std::string serialised = Serialised(7, "member");

  const auto fields = ParseGroupMetadata(serialised);

  ASSERT_TRUE(fields.ok()) << fields.status().ToString();
  EXPECT_EQ(fields->generation, 7);
  EXPECT_EQ(fields->group_id, "group");
  EXPECT_EQ(fields->member_id, "member");
  EXPECT_EQ(ParseGroupMetadata(serialised.substr(0, 12)).status().code(), Code::kDataLoss);
  EXPECT_EQ(ParseGroupMetadata("CGMDv3:whatever").status().code(), Code::kDataLoss);
}

// The broker takes the offsets of such a one unchecked, so it must never get them.
TEST(GroupMetadataTest, NobodyIsRefused) {
  for (const auto& [generation, member] :
       {std::pair(-1, "member"), std::pair(3, ""), std::pair(-1, "")}) {
    EXPECT_EQ(GroupMetadata::Take(rd_kafka_consumer_group_metadata_new_with_genid(
                                      "group", generation, member, "me"))
                  .status()
                  .code(),
              Code::kAborted);
  }
  EXPECT_EQ(GroupMetadata::Take(nullptr).status().code(), Code::kAborted);
  EXPECT_TRUE(
      GroupMetadata::Take(rd_kafka_consumer_group_metadata_new_with_genid("g", 0, "m", "i")).ok());
}

TEST(ProducerTest, AnUnknownPropertyIsNamed) {
  const auto producer = Producer::Create({.properties = {{"bootstrap.severs", kNobody}}});
  ASSERT_FALSE(producer.ok());
  EXPECT_EQ(producer.status().code(), Code::kInvalidArgument);
}

TEST(ProducerTest, EveryRecordIsCountedOnce) {
  auto producer = Producer::Create({.properties = {{"test.mock.num.brokers", "1"},
                                                   {"bootstrap.servers", kNobody},
                                                   {"queue.buffering.max.messages", "100"}}})
                      .value();
  Producer::Topic* topic = producer->OpenTopic("topic").value();
  const Header headers[] = {{"origin", "JFK"}};

  // Far more than the queue holds: a full queue only slows the caller down.
  for (int i = 0; i < 1'000; ++i) {
    const std::string value = std::to_string(i);
    ASSERT_TRUE(producer
                    ->Produce(*topic,
                              {.key = value,
                               .value = value,
                               .headers = headers,
                               .header_count = i % 2 == 0 ? size_t{1} : size_t{0}})
                    .ok());
  }
  ASSERT_TRUE(producer->Flush(milliseconds(20'000)).ok());

  EXPECT_EQ(producer->counters().sent, 1'000U);
  EXPECT_EQ(producer->counters().acknowledged, 1'000U);
  EXPECT_EQ(producer->counters().failed, 0U);
  EXPECT_TRUE(producer->failure().ok());
}

TEST(ProducerTest, FlushSaysWhatIsStillOpen) {
  auto producer = Producer::Create({.properties = {{"bootstrap.servers", kNobody}}}).value();
  Producer::Topic* topic = producer->OpenTopic("topic").value();
  ASSERT_TRUE(producer->Produce(*topic, {.value = "x"}).ok());

  EXPECT_EQ(producer->Flush(milliseconds(50)).code(), Code::kDeadlineExceeded);
}

TEST(ProducerTest, AFullQueueGivesWayToStop) {
  auto producer = Producer::Create({.properties = {{"bootstrap.servers", kNobody},
                                                   {"queue.buffering.max.messages", "1"}}})
                      .value();
  Producer::Topic* topic = producer->OpenTopic("topic").value();
  ASSERT_TRUE(producer->Produce(*topic, {.value = "x"}).ok());
  std::stop_source stop;
  stop.request_stop();

  EXPECT_EQ(producer->Produce(*topic, {.value = "y"}, stop.get_token()).code(), Code::kCancelled);
}

TEST(ReachabilityTest, NobodyThereIsSaidAndGivenUp) {
  std::string reason;
  const Status status =
      WaitForBrokers({.properties = {{"bootstrap.servers", kNobody}},
                      .connect_timeout = milliseconds(1),
                      .on_waiting = [&](const std::string& why) { reason = why; }});
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_NE(status.message().find(kNobody), std::string::npos) << status.message();
}

TEST(ReachabilityTest, ConnectingToNobodyFails) {
  EXPECT_EQ(TryConnect("127.0.0.1", 1, milliseconds(1'000)).code(), Code::kUnavailable);
}

}  // namespace
}  // namespace slipstream::kafka
