// The time that folders of partitioned tables stand for.

#include "processor/engine/partition_time.h"

#include <gtest/gtest.h>

namespace slipstream::sql {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;
constexpr int64_t kDayUs = 24 * kHourUs;

std::optional<int64_t> TimeOf(PartitionTime::Options options, std::string_view path) {
  const auto time = PartitionTime::Create(std::move(options));
  EXPECT_TRUE(time.ok()) << time.status().message();
  return time.ok() ? (*time)->Of(path) : std::nullopt;
}

TEST(PartitionTimeTest, TheFirstColumnIsATimeIfNothingElseIsSaid) {
  EXPECT_EQ(TimeOf({.columns = {"dt", "k"}}, "dt=1970-01-02/k=5/"), kDayUs);
  EXPECT_EQ(TimeOf({.columns = {"dt"}}, "dt=1970-01-02 03%3A00%3A00/"), kDayUs + 3 * kHourUs);
}

TEST(PartitionTimeTest, APatternIsFilledWithTheColumns) {
  const PartitionTime::Options options{.columns = {"day", "day_hour"},
                                       .pattern = "$day $day_hour:00:00"};
  EXPECT_EQ(TimeOf(options, "day=1970-01-02/day_hour=03/"), kDayUs + 3 * kHourUs);
}

TEST(PartitionTimeTest, AFormatterReadsWhatThePatternGives) {
  EXPECT_EQ(TimeOf({.columns = {"y", "m", "d"}, .pattern = "$y$m$d", .formatter = "yyyyMMdd"},
                   "y=1970/m=01/d=03/"),
            2 * kDayUs);
}

TEST(PartitionTimeTest, TheTimeIsThatOfClocksInTheZone) {
  EXPECT_EQ(TimeOf({.columns = {"dt"}, .zone = TimeZone::Find("Asia/Shanghai")}, "dt=1970-01-02/"),
            kDayUs - 8 * kHourUs);
}

TEST(PartitionTimeTest, WhatIsNoTimeIsNone) {
  for (const char* const path :
       {"dt=__HIVE_DEFAULT_PARTITION__/", "dt=today/", "dt=1970-02-30/", "other=1970-01-02/", ""}) {
    EXPECT_EQ(TimeOf({.columns = {"dt"}}, path), std::nullopt) << path;
  }
}

TEST(PartitionTimeTest, OptionsThatCanGiveNoTimeAreRefused) {
  EXPECT_FALSE(PartitionTime::Create({.columns = {}}).ok());
  EXPECT_FALSE(PartitionTime::Create({.columns = {"dt"}, .pattern = "2020-01-01"}).ok());
  EXPECT_FALSE(PartitionTime::Create({.columns = {"dt"}, .formatter = "yyyy-QQ"}).ok());
}

}  // namespace
}  // namespace slipstream::sql
