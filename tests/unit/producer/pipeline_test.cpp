#include "producer/pipeline/pipeline.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"
#include "producer/pipeline/acks_file.h"
#include "producer/pipeline/stdout_sink.h"
#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/producer/test_sources.h"

namespace slipstream::producer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

// Numbered records, a second of event time apart, every third from 1 on an anomaly.
class Numbers final : public RecordSource {
 public:
  Numbers(int64_t count, milliseconds held_back) : count_(count), held_back_(held_back) {}
  Result<bool> Next(Record& record) override {
    if (next_ == count_) return false;
    value_ = std::to_string(next_);
    record = {.key = "k",
              .value = value_,
              .event_time = std::chrono::local_time<milliseconds>(seconds(next_)),
              .id = next_,
              .planted = next_ % 3 == 1 ? Planted::kAnomaly : Planted::kNothing,
              .held_back = next_ * held_back_};
    ++next_;
    return true;
  }

 private:
  const int64_t count_;
  const milliseconds held_back_;  // each record by so much more than the one before
  int64_t next_ = 0;
  std::string value_;
};

// Remembers when what was sent; waiting moves the clock.
class Recorder final : public RecordSink {
 public:
  explicit Recorder(ManualClock& clock) : clock_(clock) {}

  Status Send(const Record& record) override {
    if (refusals > 0) {
      --refusals;
      clock_.Advance(milliseconds(100));
      return ResourceExhausted("full");
    }
    if (record.id == fails_at) return Unavailable("gone");
    sent.push_back(record.id);
    sent_at.push_back(clock_.Now());
    if (on_send) on_send();
    return {};
  }
  Status Poll(milliseconds timeout) override {
    EXPECT_GT(timeout.count(), 0);
    clock_.Advance(timeout);
    return {};
  }
  Status Flush(milliseconds timeout) override {
    ++flushes;
    if (flushes_to_go > 0) {
      --flushes_to_go;
      clock_.Advance(timeout);
      return DeadlineExceeded("not yet");
    }
    return {};
  }
  uint64_t sent_count() const override { return sent.size(); }
  uint64_t acknowledged_count() const override { return sent.size(); }
  uint64_t failed_count() const override { return 0; }

  std::vector<int64_t> sent;
  std::vector<SteadyTime> sent_at;
  int refusals = 0;
  int64_t fails_at = -1;
  int flushes = 0;
  int flushes_to_go = 0;
  std::function<void()> on_send;

 private:
  ManualClock& clock_;
};

class PipelineTest : public ::testing::Test {
 protected:
  PipelineOutcome Run(const PipelineOptions& options,
                      int64_t count,
                      const Pacer::Options& pacing = {}) {
    Numbers numbers(count, held_back_);
    Pacer pacer(pacing);
    Progress progress(Progress::Style::kQuiet, stderr, clock_);
    return RunPipeline(options, numbers, sink_, pacer, clock_, progress, stop_.get_token());
  }

  ManualClock clock_;
  Recorder sink_{clock_};
  std::stop_source stop_;
  milliseconds held_back_{0};
};

TEST_F(PipelineTest, SendsEverythingAndFlushes) {
  PipelineOutcome outcome = Run({}, 1000);

  EXPECT_OK(outcome.status);
  EXPECT_FALSE(outcome.is_interrupted);
  EXPECT_EQ(outcome.sent, 1000U);
  EXPECT_EQ(sink_.sent.size(), 1000U);
  EXPECT_EQ(sink_.flushes, 1);
}

TEST_F(PipelineTest, StopsAtTheLimit) {
  EXPECT_EQ(Run({.limit = 3}, 1000).sent, 3U);
  EXPECT_THAT(sink_.sent, ElementsAre(0, 1, 2));
}

TEST_F(PipelineTest, WaitsUntilRecordsAreDue) {
  const SteadyTime start = clock_.Now();

  Run({}, 3, {.speed = 2});

  EXPECT_THAT(sink_.sent_at,
              ElementsAre(start, start + milliseconds(500), start + milliseconds(1000)));
}

TEST_F(PipelineTest, WhatIsHeldBackIsDueThatMuchLater) {
  const SteadyTime start = clock_.Now();
  held_back_ = milliseconds(200);

  Run({}, 3, {.speed = 2});

  EXPECT_THAT(sink_.sent_at,
              ElementsAre(start, start + milliseconds(600), start + milliseconds(1200)));
}

TEST_F(PipelineTest, ListsWhatWasPlantedAsFarAsItWasSent) {
  test_support::TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto planted, PlantedFile::Create(dir.path() / "planted.csv"));

  Run({.limit = 7, .planted_file = planted.get()}, 1000);

  std::ifstream in(dir.path() / "planted.csv");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}),
            "id,kind,event_time,key\n"
            "1,anomaly,1970-01-01 00:00:01.000,k\n"
            "4,anomaly,1970-01-01 00:00:04.000,k\n");
}

TEST_F(PipelineTest, AFullSinkSlowsTheReaderAndLosesNothing) {
  sink_.refusals = 5;

  EXPECT_EQ(Run({}, 3).sent, 3U);

  EXPECT_THAT(sink_.sent, ElementsAre(0, 1, 2));
}

TEST_F(PipelineTest, AnInterruptStopsReadingAndFlushes) {
  sink_.on_send = [this] {
    if (sink_.sent.size() == 2) stop_.request_stop();
  };

  PipelineOutcome outcome = Run({}, 1000);

  EXPECT_OK(outcome.status);
  EXPECT_TRUE(outcome.is_interrupted);
  EXPECT_EQ(outcome.sent, 2U);
  EXPECT_EQ(sink_.flushes, 1);
}

TEST_F(PipelineTest, AnInterruptEndsAWait) {
  sink_.on_send = [this] { stop_.request_stop(); };

  EXPECT_TRUE(Run({}, 1000, {.speed = 1e-3}).is_interrupted);
  EXPECT_EQ(sink_.sent.size(), 1U);
}

TEST_F(PipelineTest, AFinalErrorEndsTheRunAndIsReported) {
  sink_.fails_at = 5;

  PipelineOutcome outcome = Run({}, 1000);

  EXPECT_EQ(outcome.status.code(), Code::kUnavailable);
  EXPECT_EQ(outcome.sent, 5U);
  EXPECT_EQ(sink_.flushes, 1);
}

TEST_F(PipelineTest, TheFlushWaitsButNotForEver) {
  sink_.flushes_to_go = 3;
  EXPECT_OK(Run({.flush_timeout = seconds(10)}, 1).status);

  sink_.flushes_to_go = 1'000'000;
  EXPECT_EQ(Run({.flush_timeout = seconds(10)}, 1).status.code(), Code::kDeadlineExceeded);
}

TEST(ProgressTest, TheBarShowsWhatIsAcknowledged) {
  EXPECT_EQ(Progress::Bar({.sent = 80, .acknowledged = 50, .total = 100}, 1234.4),
            "[###############---------------]  50 %  50 of 100 rows, 1234 rows/s");
  EXPECT_EQ(Progress::Bar({.sent = 0, .acknowledged = 0, .total = 7}, 0),
            "[------------------------------]   0 %  0 of 7 rows, 0 rows/s");
  EXPECT_EQ(Progress::Bar({.sent = 8, .acknowledged = 5, .total = 0}, 2),
            "8 sent, 5 acknowledged, 2 rows/s");
}

TEST(StdoutSinkTest, WritesALineARecord) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  StdoutSink sink(pipe[1]);
  ASSERT_OK(sink.Send({.value = "{\"a\":1}"}));
  EXPECT_EQ(sink.sent_count(), 1U);
  EXPECT_EQ(sink.acknowledged_count(), 0U);
  ASSERT_OK(sink.Send({.value = "{}"}));
  ASSERT_OK(sink.Flush(seconds(1)));

  std::array<char, 100> text{};
  ssize_t count = ::read(pipe[0], text.data(), text.size());
  EXPECT_EQ(std::string_view(text.data(), static_cast<size_t>(count)), "{\"a\":1}\n{}\n");
  EXPECT_EQ(sink.acknowledged_count(), 2U);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(AcksFileTest, HasAnIdALine) {
  ScratchFile file("acks", "what was there before");
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<AcksFile> acks, AcksFile::Create(file.path()));
  for (int64_t id : {3, 1, 2})
    acks->Add(id);
  ASSERT_OK(acks->Write());

  std::ifstream in(file.path());
  std::string text(std::istreambuf_iterator<char>(in), {});
  EXPECT_EQ(text, "3\n1\n2\n");
}

TEST(AcksFileTest, AFullDiskIsReported) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<AcksFile> acks, AcksFile::Create("/dev/full"));
  acks->Add(1);

  EXPECT_FALSE(acks->Write().ok());
}

}  // namespace
}  // namespace slipstream::producer
