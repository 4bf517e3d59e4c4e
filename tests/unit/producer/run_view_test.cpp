#include "producer/app/run_view.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assert_ok.h"

namespace slipstream::producer {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Pair;

class CountingSink final : public RecordSink {
 public:
  Status Send(const Record& /*record*/) override { return {}; }
  Status Poll(std::chrono::milliseconds /*timeout*/) override { return {}; }
  Status Flush(std::chrono::milliseconds /*timeout*/) override { return {}; }
  uint64_t sent_count() const override { return sent; }
  uint64_t acknowledged_count() const override { return acknowledged; }
  uint64_t failed_count() const override { return failed; }

  uint64_t sent = 0;
  uint64_t acknowledged = 0;
  uint64_t failed = 0;
};

class RunViewTest : public ::testing::Test {
 protected:
  // The counters by name, without what all share of it.
  std::map<std::string, double> Counters() const {
    const std::string prefix = "slipstream_producer_";
    std::map<std::string, double> values;
    for (const prometheus::MetricFamily& family : view_.Collect()) {
      EXPECT_EQ(family.name.substr(0, prefix.size()), prefix);
      EXPECT_EQ(family.metric.size(), 1U);
      if (family.type != prometheus::MetricType::Counter) continue;
      values[family.name.substr(prefix.size())] = family.metric.at(0).counter.value;
    }
    return values;
  }

  std::atomic<uint64_t> rows_read_{0};
  RejectedRows rejected_{[](const std::string&) {}};
  CountingSink sink_;
  RunView view_{rows_read_, rejected_};
};

TEST_F(RunViewTest, SaysWhatItWaitsForUntilThereIsASink) {
  EXPECT_EQ(view_.Ready().message(), "waiting for kafka");
  view_.WaitFor("kafka: nobody answers \xff");
  EXPECT_EQ(view_.Ready().code(), Code::kUnavailable);
  EXPECT_EQ(view_.Ready().message(), "waiting for kafka: nobody answers \xff");
  EXPECT_EQ(json::parse(view_.StatusJson())["waiting_for"], "kafka: nobody answers \xEF\xBF\xBD");
  EXPECT_THAT(Counters(), Contains(Pair("rows_sent_total", 0)));

  view_.Show(sink_);

  EXPECT_OK(view_.Ready());
  EXPECT_EQ(json::parse(view_.StatusJson())["waiting_for"], "");
}

TEST_F(RunViewTest, ReadsTheCountersWhenAsked) {
  view_.Show(sink_);
  rows_read_ = 9;
  rejected_.Add("a.csv", 3, "too short");
  sink_.sent = 8;
  sink_.acknowledged = 5;
  sink_.failed = 2;

  EXPECT_THAT(Counters(),
              ::testing::UnorderedElementsAre(Pair("rows_read_total", 10),
                                              Pair("rows_skipped_total", 1),
                                              Pair("rows_sent_total", 8),
                                              Pair("rows_acknowledged_total", 5),
                                              Pair("acknowledge_failures_total", 2)));
  json status = json::parse(view_.StatusJson());
  EXPECT_EQ(status["rows_read"], 10);
  EXPECT_EQ(status["rows_skipped"], 1);
  EXPECT_EQ(status["rows_sent"], 8);
  EXPECT_EQ(status["rows_acknowledged"], 5);
  EXPECT_EQ(status["acknowledge_failures"], 2);

  ++rows_read_;
  sink_.sent = 9;
  EXPECT_THAT(Counters(),
              AllOf(Contains(Pair("rows_read_total", 11)), Contains(Pair("rows_sent_total", 9))));
}

}  // namespace
}  // namespace slipstream::producer
