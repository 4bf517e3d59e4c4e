// What a task behind a repartition topic makes of its senders' marks.

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "processor/runtime/repartition_record.h"
#include "processor/runtime/sender_times.h"

namespace slipstream::runtime {
namespace {

// Exchange 0 from input 0, exchange 1 from inputs 1 and 2; place and number are the same.
class SenderTimesTest : public ::testing::Test {
 protected:
  void Hear(uint8_t input, int32_t partition, EventTimeUs watermark, bool is_idle = false) {
    times_.Set({.sender = {input, partition},
                .sender_count = kSenders,
                .watermark = watermark,
                .is_idle = is_idle});
  }
  void HearDone(uint8_t input, int32_t partition) {
    times_.Set({.sender = {input, partition},
                .sender_count = kSenders,
                .watermark = kEndOfTime,
                .is_done = true});
  }

  static constexpr uint32_t kSenders = 2;  // of each input
  SenderTimes times_{std::vector<ExchangeSenders>{{.exchange = 0, .inputs = {0}},
                                                  {.exchange = 1, .inputs = {1, 2}}}};
};

TEST_F(SenderTimesTest, NothingIsKnownBeforeAllWereHeardOf) {
  Hear(0, 1, 100);

  EXPECT_EQ(times_.Of(0).watermark, std::nullopt);
  EXPECT_FALSE(times_.Of(0).is_idle);
  EXPECT_FALSE(times_.Of(0).is_done);
  Hear(0, 0, 90);
  EXPECT_EQ(times_.Of(0).watermark, 90);
}

TEST_F(SenderTimesTest, AnInputThatWasNeverHeardOfHoldsTheOtherBack) {
  Hear(1, 0, 100);
  Hear(1, 1, 100);

  EXPECT_EQ(times_.Of(1).watermark, std::nullopt);
}

TEST_F(SenderTimesTest, RepeatsDoNothing) {
  Hear(0, 0, 100);
  Hear(0, 1, 200);
  Hear(0, 0, 50);

  EXPECT_EQ(times_.Of(0).watermark, 100);
}

TEST_F(SenderTimesTest, IdleSendersAreLeftOut) {
  Hear(0, 0, 100, true);
  Hear(0, 1, 200);

  EXPECT_EQ(times_.Of(0).watermark, 200);
  Hear(0, 1, 200, true);
  EXPECT_EQ(times_.Of(0).watermark, std::nullopt);
  EXPECT_TRUE(times_.Of(0).is_idle);
}

TEST_F(SenderTimesTest, TheEndIsThatOfAllSenders) {
  HearDone(0, 0);
  Hear(0, 1, 10);

  EXPECT_EQ(times_.Of(0).watermark, 10);
  HearDone(0, 1);
  EXPECT_EQ(times_.Of(0).watermark, kEndOfTime);
  EXPECT_TRUE(times_.Of(0).is_done);
  EXPECT_FALSE(times_.is_done());
}

// A topic that has grown has a sender more.
TEST_F(SenderTimesTest, ANewSenderHoldsTimeBackUntilItIsHeardOf) {
  Hear(0, 0, 100);
  Hear(0, 1, 100);
  times_.Set({.sender = {0, 0}, .sender_count = 3, .watermark = 110});

  EXPECT_EQ(times_.Of(0).watermark, std::nullopt);
  times_.Set({.sender = {0, 2}, .sender_count = 3, .watermark = 50});
  EXPECT_EQ(times_.Of(0).watermark, 50);
}

TEST_F(SenderTimesTest, WhatIsSavedIsRestored) {
  struct Writer final : StateWriter {
    void Put(std::string_view key, std::string_view value) override {
      state.insert_or_assign(std::string(key), std::string(value));
    }
    void Delete(std::string_view key) override { state.erase(std::string(key)); }
    std::map<std::string, std::string> state;
  } writer;
  Hear(0, 0, 100);
  Hear(0, 1, 70);
  times_.SaveChanges(writer);
  Hear(0, 1, 80);
  times_.SaveChanges(writer);
  SenderTimes restored(std::vector<ExchangeSenders>{{.exchange = 0, .inputs = {0}}});

  for (const auto& [key, value] : writer.state)
    ASSERT_TRUE(restored.Restore(key, value).ok());

  EXPECT_EQ(writer.state.size(), 2U);
  EXPECT_EQ(restored.Of(0).watermark, 80);
  EXPECT_EQ(restored.Restore("Sxxxxx", writer.state.begin()->second).code(), Code::kDataLoss);
}

TEST(RepartitionRecordTest, ReadsWhatWasWritten) {
  std::string rows = BeginRows(7, {.input = 2, .partition = 5});
  AppendRow(rows, "one");
  AppendRow(rows, "");
  const std::vector<SenderMark> marks = {
      {.sender = {0, 1}, .sender_count = 3, .watermark = -5, .is_idle = true},
      {.sender = {1, 0}, .sender_count = 1, .watermark = kEndOfTime, .is_done = true}};

  const auto parsed_rows = ParseRepartitionRecord(rows);
  const std::string encoded = EncodeSenderMarks(marks);
  const auto parsed_marks = ParseRepartitionRecord(encoded);

  ASSERT_TRUE(parsed_rows.ok());
  EXPECT_EQ(parsed_rows->exchange, 7U);
  EXPECT_EQ(parsed_rows->sender, (SenderId{2, 5}));
  EXPECT_EQ(parsed_rows->rows, (std::vector<std::string_view>{"one", ""}));
  ASSERT_TRUE(parsed_marks.ok());
  EXPECT_EQ(parsed_marks->marks, marks);
}

TEST(RepartitionRecordTest, RefusesEveryCut) {
  std::string rows = BeginRows(0, {});
  AppendRow(rows, "one");
  const SenderMark mark{.sender = {0, 0}, .sender_count = 1};
  for (const std::string& record : {rows, EncodeSenderMarks({&mark, 1})}) {
    for (size_t size = 0; size < record.size(); ++size) {
      EXPECT_EQ(ParseRepartitionRecord(std::string_view(record).substr(0, size)).status().code(),
                Code::kDataLoss);
    }
  }
}

}  // namespace
}  // namespace slipstream::runtime
