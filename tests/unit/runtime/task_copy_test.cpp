// A task as its changelog tells it, record by record.

#include "processor/runtime/task_copy.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "processor/state/changelog.h"
#include "tests/support/assert_ok.h"

namespace slipstream::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr uint8_t kInput = 2;

class TaskCopyTest : public ::testing::Test {
 protected:
  // The changelog's record at that offset.
  Status Take(int64_t offset,
              ChangelogKind kind,
              std::string_view key,
              std::optional<std::string> value,
              uint8_t input = kInput) {
    const std::string full_key =
        EncodeChangelogKey({.kind = kind, .input = input}) + std::string(key);
    kafka::Record record{.key = full_key, .offset = offset};
    if (value) record.value = *value;
    return copy_.Take(record);
  }
  Status TakeMark(int64_t offset, const MarkPair& pair) {
    return Take(offset, ChangelogKind::kMark, "", EncodeMark({.pair = pair}));
  }
  std::map<std::string, std::string> State() {
    std::map<std::string, std::string> state;
    EXPECT_OK(copy_.state().ForEach([&](std::string_view key, std::string_view value) {
      state.emplace(key, value);
      return Status();
    }));
    return state;
  }

  TaskCopy copy_{kInput, nullptr, WallTime()};
};

TEST_F(TaskCopyTest, HoldsTheLastOfEachKey) {
  EXPECT_EQ(copy_.next_offset(), kafka::kOffsetBeginning);

  ASSERT_OK(Take(10, ChangelogKind::kJob, "", EncodeJobRecord({.uuid = "job"})));
  ASSERT_OK(Take(11, ChangelogKind::kState, "a", "1"));
  ASSERT_OK(Take(12, ChangelogKind::kState, "b", "1"));
  ASSERT_OK(Take(13, ChangelogKind::kTime, "t", "9"));
  ASSERT_OK(TakeMark(14, {.epoch = 1, .incarnation = 1}));
  ASSERT_OK(Take(16, ChangelogKind::kState, "b", std::nullopt));
  ASSERT_OK(Take(17, ChangelogKind::kState, "a", "2"));
  ASSERT_OK(TakeMark(18, {.epoch = 2, .incarnation = 1}));

  EXPECT_THAT(State(), ElementsAre(Pair("a", "2")));
  EXPECT_THAT(copy_.times(), ElementsAre(Pair("t", "9")));
  EXPECT_EQ(copy_.job()->uuid, "job");
  EXPECT_TRUE(copy_.IsAt({.epoch = 2, .incarnation = 1}));
  EXPECT_EQ(copy_.next_offset(), 19);
}

TEST_F(TaskCopyTest, BetweenTwoMarksItIsAtNone) {
  const MarkPair first{.epoch = 1, .incarnation = 1};
  ASSERT_OK(Take(0, ChangelogKind::kState, "a", "1"));
  EXPECT_FALSE(copy_.IsAt({}));
  ASSERT_OK(TakeMark(1, first));
  ASSERT_TRUE(copy_.IsAt(first));
  EXPECT_FALSE(copy_.IsAt({.epoch = 1, .incarnation = 2}));

  ASSERT_OK(Take(2, ChangelogKind::kState, "a", "2"));

  EXPECT_FALSE(copy_.IsAt(first));
  EXPECT_EQ(copy_.mark()->pair, first);
}

TEST_F(TaskCopyTest, WhatItKnowsIsNotTakenAgain) {
  ASSERT_OK(Take(5, ChangelogKind::kState, "a", "new"));
  ASSERT_OK(TakeMark(6, {.epoch = 4, .incarnation = 1}));

  ASSERT_OK(Take(3, ChangelogKind::kState, "a", "old"));
  ASSERT_OK(TakeMark(4, {.epoch = 3, .incarnation = 1}));

  EXPECT_THAT(State(), ElementsAre(Pair("a", "new")));
  EXPECT_TRUE(copy_.IsAt({.epoch = 4, .incarnation = 1}));
}

TEST_F(TaskCopyTest, TasksThatShareThePartitionDoNotMeet) {
  constexpr uint8_t kOther = kInput + 1;
  const MarkPair pair{.epoch = 1, .incarnation = 1};
  ASSERT_OK(TakeMark(0, pair));

  ASSERT_OK(Take(1, ChangelogKind::kState, "a", "1", kOther));
  ASSERT_OK(Take(2, ChangelogKind::kMark, "", EncodeMark({.pair = {.epoch = 9}}), kOther));

  EXPECT_THAT(State(), IsEmpty());
  EXPECT_TRUE(copy_.IsAt(pair));
  EXPECT_EQ(copy_.next_offset(), 3);
}

TEST_F(TaskCopyTest, ItNeverGoesBack) {
  copy_.SkipTo(20);
  copy_.SkipTo(10);
  EXPECT_EQ(copy_.next_offset(), 20);
}

TEST_F(TaskCopyTest, WhatIsNoChangelogIsRefused) {
  EXPECT_EQ(copy_.Take({.value = "v"}).code(), Code::kDataLoss);
  EXPECT_EQ(copy_.Take({.key = "?", .value = "v", .offset = 1}).code(), Code::kDataLoss);
  EXPECT_EQ(Take(2, ChangelogKind::kMark, "", "no mark").code(), Code::kDataLoss);
}

}  // namespace
}  // namespace slipstream::runtime
