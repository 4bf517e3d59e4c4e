// Which folders are complete, and when: by event time, by the clock, at the end of the input; and
// that nothing about them is forgotten over a restart.

#include "processor/connectors/partition_commits.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "tests/unit/runtime/memory_append_store.h"

namespace slipstream::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kHourUs = kHourMs * 1'000;

class PartitionCommitsTest : public ::testing::Test {
 protected:
  // Sink 0 by event time: "h=3/" is complete an hour after three o'clock. Sink 1 by the clock. Sink
  // 2 has no success file.
  static PartitionCommits Make(const std::vector<OpenPartition>& open = {}) {
    const auto time_of = [](std::string_view path) -> std::optional<EventTimeUs> {
      if (path.size() != 4) return std::nullopt;
      return (path[2] - '0') * kHourUs;
    };
    FileSinkTarget timed{.folder = "/timed/", .spec = {.success_file = "_SUCCESS"}};
    timed.spec.partition_commit = {
        .is_by_watermark = true, .delay_ms = kHourMs, .time_of = time_of};
    FileSinkTarget clocked{.folder = "/clocked/", .spec = {.success_file = "_DONE"}};
    clocked.spec.partition_commit = {.delay_ms = 100, .time_of = nullptr};
    const FileSinkTarget plain{.folder = "/plain/", .spec = {}};
    return PartitionCommits({{0, timed}, {1, clocked}, {2, plain}}, open);
  }
  PartitionCommits::VisibleTime Visible() const {
    return [this](size_t) { return visible_; };
  }
  bool HasDue() const { return commits_.HasDue(now_ms_, Visible()); }
  std::vector<std::pair<size_t, std::string>> EndEpoch(bool is_last = false) {
    return commits_.EndEpoch(now_ms_, is_last, Visible());
  }

  PartitionCommits commits_ = Make();
  EventTimeUs visible_ = kNoWatermark;
  int64_t now_ms_ = 1'000;
};

TEST_F(PartitionCommitsTest, AFolderIsCompleteOnceItsTimeAndTheDelayArePast) {
  ASSERT_EQ(commits_.Add(0, "h=3/", now_ms_), Status());
  ASSERT_EQ(commits_.Add(0, "h=5/", now_ms_), Status());

  visible_ = 4 * kHourUs;  // the delay's end itself is not past it
  EXPECT_FALSE(HasDue());
  EXPECT_THAT(EndEpoch(), IsEmpty());

  visible_ = 4 * kHourUs + 1;
  EXPECT_TRUE(HasDue());
  EXPECT_THAT(EndEpoch(), ElementsAre(Pair(0, "h=3/")));
  EXPECT_FALSE(HasDue()) << "once";
  EXPECT_THAT(commits_.Ready(), ElementsAre(Pair(0, "/timed/h=3/_SUCCESS")));

  commits_.OnWritten();
  EXPECT_THAT(commits_.Ready(), IsEmpty());
  EXPECT_FALSE(commits_.empty()) << "the other is still to come";
}

TEST_F(PartitionCommitsTest, RowsThatComeLaterOpenAFolderAnew) {
  visible_ = 9 * kHourUs;
  ASSERT_EQ(commits_.Add(0, "h=3/", now_ms_), Status());
  ASSERT_THAT(EndEpoch(), ElementsAre(Pair(0, "h=3/")));
  ASSERT_EQ(commits_.Add(0, "h=3/", now_ms_), Status());  // before its file was written

  EXPECT_THAT(commits_.Ready(), IsEmpty()) << "its rows are not committed";
  EXPECT_THAT(EndEpoch(), ElementsAre(Pair(0, "h=3/")));
  commits_.OnWritten();
  EXPECT_TRUE(commits_.empty());
  ASSERT_EQ(commits_.Add(0, "h=3/", now_ms_), Status());  // and afterwards
  EXPECT_THAT(EndEpoch(), ElementsAre(Pair(0, "h=3/")));
}

TEST_F(PartitionCommitsTest, ByTheClockTheFirstRowCounts) {
  ASSERT_EQ(commits_.Add(1, "k=1/", now_ms_), Status());
  now_ms_ += 99;
  ASSERT_EQ(commits_.Add(1, "k=1/", now_ms_), Status());
  EXPECT_FALSE(HasDue());

  now_ms_ += 1;
  EXPECT_TRUE(HasDue());
  EXPECT_THAT(EndEpoch(), ElementsAre(Pair(1, "k=1/")));
  EXPECT_THAT(commits_.Ready(), ElementsAre(Pair(1, "/clocked/k=1/_DONE")));
}

TEST_F(PartitionCommitsTest, TheEndCompletesWhatIsLeftButWaitsForOtherTasks) {
  ASSERT_EQ(commits_.Add(0, "h=3/", now_ms_), Status());
  ASSERT_EQ(commits_.Add(0, "unknown/", now_ms_), Status());  // stands for no time
  ASSERT_EQ(commits_.Add(1, "k=1/", now_ms_), Status());

  visible_ = 9 * kHourUs;
  EXPECT_THAT(EndEpoch(true), ElementsAre(Pair(0, "h=3/"), Pair(1, "k=1/")));

  visible_ = kEndOfTime;  // the others have ended as well
  EXPECT_TRUE(HasDue());
  EXPECT_THAT(EndEpoch(true), ElementsAre(Pair(0, "unknown/")));
}

TEST_F(PartitionCommitsTest, WhatTheMarkNamesIsTakenUp) {
  ASSERT_EQ(commits_.Add(0, "h=3/", now_ms_), Status());
  ASSERT_EQ(commits_.Add(1, "k=1/", now_ms_), Status());
  visible_ = 9 * kHourUs;
  ASSERT_THAT(EndEpoch(), ElementsAre(Pair(0, "h=3/")));
  const std::vector<OpenPartition> mark = commits_.open();  // nothing is written yet

  commits_ = Make(mark);

  EXPECT_TRUE(HasDue());
  EXPECT_THAT(EndEpoch(), ElementsAre(Pair(0, "h=3/")));
  now_ms_ += 100;
  EXPECT_THAT(EndEpoch(), ElementsAre(Pair(1, "k=1/")));
}

TEST_F(PartitionCommitsTest, SinksWithoutASuccessFileAreNotLookedAt) {
  ASSERT_EQ(commits_.Add(2, "h=3/", now_ms_), Status());
  EXPECT_TRUE(commits_.empty());
}

TEST_F(PartitionCommitsTest, MoreFoldersThanAMarkCanNameAreRefused) {
  for (size_t i = 0; i < PartitionCommits::kOpenMax; ++i)
    ASSERT_EQ(commits_.Add(1, "k=" + std::to_string(i) + "/", now_ms_), Status());

  EXPECT_EQ(commits_.Add(1, "k=more/", now_ms_).code(), Code::kResourceExhausted);
}

// Two tasks that share a folder, and one of them again after a crash.
TEST(SuccessFilesTest, AreWrittenByWhoeverComesAndAgain) {
  dfs::MemoryAppendStore store;
  const auto all = [](size_t) { return true; };
  for (const char* const owner : {"job/0/0/success", "job/0/1/success", "job/0/0/success"}) {
    EXPECT_EQ(WriteSuccessFiles({{0, "/out/h=3/_SUCCESS"}}, all, &store, owner), Status());
  }
  EXPECT_THAT(store.Files(), ElementsAre(Pair("/out/h=3/_SUCCESS", "")));

  const test_support::TempDir dir("success");
  const std::string path = (dir.path() / "_SUCCESS").string();
  const auto none = [](size_t) { return false; };
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(WriteSuccessFiles({{0, path}}, none, nullptr, "job/0/0/success"), Status());
  EXPECT_TRUE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace slipstream::runtime
