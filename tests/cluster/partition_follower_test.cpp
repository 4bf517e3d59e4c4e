// Several partitions of a real broker side by side, and who is in a group.

#include "common/kafka/partition_follower.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/kafka/admin.h"
#include "common/kafka/group_consumer.h"
#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"

namespace slipstream::test_support {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class PartitionFollowerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(client_.CreateTopic(topic_, 3));
    ASSERT_OK_AND_ASSIGN(follower_, kafka::PartitionFollower::Create({.properties = properties_}));
  }
  Status Produce(int32_t partition, const std::string& value) const {
    return client_.Produce(topic_, {{.value = value, .partition = partition}});
  }
  Status Follow(const std::map<int32_t, int64_t>& offsets) {
    queues_.clear();
    std::vector<kafka::PartitionOffset> positions;
    for (const auto& [partition, offset] : offsets)
      positions.push_back({.partition = {topic_, partition}, .offset = offset});
    ASSIGN_OR_RETURN(queues_, follower_->Follow(positions));
    return {};
  }
  // Reads queue number `queue` until that many more have come and it has told its end.
  testing::AssertionResult Read(size_t queue, size_t count) {
    values_.clear();
    end_.reset();
    return Eventually([&]() -> Status {
      follower_->Poll();
      const auto batch = queues_[queue]->Read(100);
      RETURN_IF_ERROR(batch->error());
      for (const kafka::Record& record : batch->records())
        values_.emplace_back(record.value.value_or(""));
      if (batch->end_offset()) end_ = batch->end_offset();
      return values_.size() == count && end_ ? Status() : Unavailable("there is more to come");
    });
  }

  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};
  const std::string topic_ =
      std::string("follow-") + ::testing::UnitTest::GetInstance()->current_test_info()->name();
  const kafka::Properties properties_ = {{"bootstrap.servers", KafkaBroker::Shared().bootstrap()}};
  std::unique_ptr<kafka::PartitionFollower> follower_;
  std::vector<std::unique_ptr<kafka::PartitionQueue>> queues_;  // of follower_
  std::vector<std::string> values_;
  std::optional<int64_t> end_;
};

TEST_F(PartitionFollowerTest, EachPartitionGoesOnInItsOwnQueue) {
  ASSERT_OK(Produce(0, "a0"));
  ASSERT_OK(Produce(2, "c0"));
  ASSERT_OK(Produce(2, "c1"));
  ASSERT_OK(Follow({{0, kafka::kOffsetBeginning}, {2, 1}}));

  ASSERT_TRUE(Read(0, 1));
  EXPECT_THAT(values_, ElementsAre("a0"));
  ASSERT_TRUE(Read(1, 1));
  EXPECT_THAT(values_, ElementsAre("c1"));
  EXPECT_EQ(end_, 2);
  EXPECT_EQ(follower_->KnownEndOffset({topic_, 2}), 2);

  ASSERT_OK(Produce(0, "a1"));
  ASSERT_TRUE(Read(0, 1));
  EXPECT_THAT(values_, ElementsAre("a1"));
}

TEST_F(PartitionFollowerTest, WhatWasFollowedBeforeIsForgotten) {
  ASSERT_OK(Produce(0, "a0"));
  ASSERT_OK(Produce(1, "b0"));
  ASSERT_OK(Follow({{0, kafka::kOffsetBeginning}}));
  ASSERT_TRUE(Read(0, 1));

  ASSERT_OK(Follow({{0, 0}, {1, 0}}));

  ASSERT_TRUE(Read(0, 1));
  EXPECT_THAT(values_, ElementsAre("a0")) << "from the offset that was asked for";
  ASSERT_TRUE(Read(1, 1));
  EXPECT_THAT(values_, ElementsAre("b0"));
}

// ---- Groups ----

class Silent final : public kafka::GroupConsumer::Listener {
 public:
  explicit Silent(std::unique_ptr<kafka::GroupConsumer>& consumer) : consumer_(consumer) {}
  void OnAssigned(const std::vector<kafka::TopicPartition>& /*partitions*/,
                  const kafka::GroupMetadata& /*group*/) override {
    EXPECT_OK(consumer_->Assign({}).status());
  }
  void OnRevoked(const std::vector<kafka::TopicPartition>& /*partitions*/,
                 bool /*is_lost*/) override {}

 private:
  std::unique_ptr<kafka::GroupConsumer>& consumer_;
};

TEST_F(PartitionFollowerTest, AGroupNamesItsMembersAndTheirProcesses) {
  ASSERT_OK_AND_ASSIGN(const auto admin, kafka::Admin::Create({.properties = properties_}));
  EXPECT_EQ(admin->GroupMembers(topic_).status().code(), Code::kUnavailable) << "nobody is there";
  std::map<std::string, std::unique_ptr<kafka::GroupConsumer>> consumers;
  std::vector<std::unique_ptr<Silent>> listeners;
  for (const std::string name : {"second", "first"}) {
    auto& consumer = consumers[name];
    listeners.push_back(std::make_unique<Silent>(consumer));
    ASSERT_OK_AND_ASSIGN(consumer,
                         kafka::GroupConsumer::Create({.properties = properties_,
                                                       .group_id = topic_,
                                                       .instance_id = name,
                                                       .client_id = "process-of-" + name},
                                                      *listeners.back()));
    ASSERT_OK(consumer->Subscribe({topic_}));
  }

  std::vector<std::pair<std::string, std::string>> members;
  ASSERT_TRUE(Eventually([&]() -> Status {
    for (const auto& [name, consumer] : consumers)
      RETURN_IF_ERROR(consumer->Poll(std::chrono::milliseconds(0)));
    ASSIGN_OR_RETURN(const auto found, admin->GroupMembers(topic_));
    members.clear();
    for (const kafka::Admin::GroupMember& member : found)
      members.emplace_back(member.name, member.client_id);
    return members.size() == 2 ? Status() : Unavailable("not both");
  }));

  EXPECT_THAT(members,
              ElementsAre(Pair("first", "process-of-first"), Pair("second", "process-of-second")));
  for (const auto& [name, consumer] : consumers)
    consumer->Close();
}

}  // namespace
}  // namespace slipstream::test_support
