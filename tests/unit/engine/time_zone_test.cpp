#include "processor/types/time_zone.h"

#include <gtest/gtest.h>

#include "processor/types/date_time.h"

namespace slipstream::sql {
namespace {

constexpr int64_t kMinute = 60 * kMicrosPerSecond;

int64_t At(std::string_view text) {
  return ParseTimestamp(text).value();
}

TEST(TimeZoneTest, IsKnownByNameAbbreviationAndDistance) {
  EXPECT_EQ(TimeZone::Find("Asia/Kolkata")->ToLocal(0), 330 * kMinute);
  EXPECT_EQ(TimeZone::Find("IST")->ToLocal(0), 330 * kMinute);
  EXPECT_EQ(TimeZone::Find("GMT+05:30")->ToLocal(0), 330 * kMinute);
  EXPECT_EQ(TimeZone::Find("-8")->ToInstant(0), 480 * kMinute);
  EXPECT_TRUE(TimeZone::Find("UTC")->is_utc());
  EXPECT_EQ(TimeZone::Find("Mars/Olympus"), nullptr);
  EXPECT_EQ(TimeZone::Find("GMT+99:00"), nullptr);
  EXPECT_EQ(TimeZone::Find(""), nullptr);
}

TEST(TimeZoneTest, OfATimeShownTwiceTheFirstInstantIsMeant) {
  const TimeZonePtr zone = TimeZone::Find("America/New_York");
  EXPECT_EQ(zone->ToInstant(At("2023-11-05 01:30:00.5")), At("2023-11-05 05:30:00.5"));
  EXPECT_EQ(zone->LastInstant(At("2023-11-05 01:30:00.5")), At("2023-11-05 06:30:00.5"));
}

TEST(TimeZoneTest, ATimeThatClocksSkipIsCountedOn) {
  const TimeZonePtr zone = TimeZone::Find("America/New_York");
  EXPECT_EQ(zone->ToInstant(At("2023-03-12 02:30:00")), At("2023-03-12 07:30:00"));
  EXPECT_EQ(zone->LastInstant(At("2023-03-12 02:30:00")), At("2023-03-12 07:00:00") - 1);
}

TEST(TimeZoneTest, TheEndsStay) {
  const TimeZonePtr zone = TimeZone::Find("Asia/Tokyo");
  for (const int64_t end : {INT64_MIN, INT64_MAX}) {
    EXPECT_EQ(zone->ToLocal(end), end);
    EXPECT_EQ(zone->ToInstant(end), end);
    EXPECT_EQ(zone->LastInstant(end), end);
    EXPECT_EQ(zone->Passed(end), end);
  }
}

// Over more than a year of zones that change by an hour, by half of one, and by a whole day.
class PassedTest : public testing::TestWithParam<const char*> {};

TEST_P(PassedTest, WhatIsShownLaterIsLater) {
  const TimeZonePtr zone = TimeZone::Find(GetParam());
  const int64_t first = At("2011-06-01 00:00:00");
  const int64_t last = At("2012-12-01 00:00:00");
  int64_t before = INT64_MIN;
  for (int64_t instant = first; instant < last; instant += 30 * kMinute) {
    const int64_t passed = zone->Passed(instant);
    ASSERT_GE(passed, before);
    before = passed;
    // It is the greatest such time; clocks change at full and half halves.
    bool is_shown_next = zone->ToLocal(instant + 1) == passed + 1;
    for (int64_t halves = 1; halves < 96; ++halves) {
      const int64_t shown = zone->ToLocal(instant + halves * 30 * kMinute);
      ASSERT_GT(shown, passed) << instant;
      is_shown_next = is_shown_next || shown == passed + 1;
    }
    ASSERT_TRUE(is_shown_next) << instant;
  }
}

TEST_P(PassedTest, TheLastInstantIsTheFirstWithWhichATimeHasPassed) {
  const TimeZonePtr zone = TimeZone::Find(GetParam());
  const int64_t first = At("2011-06-01 00:00:00");
  for (int64_t local = first; local < At("2012-12-01 00:00:00"); local += 15 * kMinute) {
    const int64_t instant = zone->LastInstant(local);
    ASSERT_GE(zone->Passed(instant), local) << local;
    ASSERT_LT(zone->Passed(instant - 1), local) << local;
  }
}

INSTANTIATE_TEST_SUITE_P(Zones,
                         PassedTest,
                         testing::Values("UTC",
                                         "America/New_York",
                                         "Australia/Lord_Howe",
                                         "Pacific/Apia",
                                         "Asia/Tokyo"));

}  // namespace
}  // namespace slipstream::sql
