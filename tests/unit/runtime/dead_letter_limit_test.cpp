#include "processor/runtime/dead_letter_limit.h"

#include <gtest/gtest.h>

namespace slipstream::runtime {
namespace {

// A batch of `records`, of which `dead` are bad.
Status Batch(DeadLetterLimit& limit, uint64_t records, uint64_t dead) {
  for (uint64_t i = 0; i < dead; ++i)
    limit.Count("no number");
  return limit.EndBatch(records);
}

TEST(DeadLetterLimitTest, OffNothingIsTooMuch) {
  DeadLetterLimit limit(1);
  EXPECT_TRUE(Batch(limit, 5'000, 5'000).ok());
}

TEST(DeadLetterLimitTest, AShareOfFewRecordsSaysNothing) {
  DeadLetterLimit limit(0.1);
  EXPECT_TRUE(Batch(limit, 1, 1).ok());
  EXPECT_TRUE(Batch(limit, 98, 9).ok());
  EXPECT_TRUE(Batch(limit, 1, 0).ok());  // 10 of 100
  EXPECT_EQ(Batch(limit, 1, 1).code(), Code::kFailedPrecondition);
}

TEST(DeadLetterLimitTest, MoreThanTheShareIsSaidWithTheLastError) {
  DeadLetterLimit limit(0.01);
  EXPECT_TRUE(Batch(limit, 4'096, 40).ok());
  const Status status = Batch(limit, 100, 3);
  EXPECT_EQ(status.code(), Code::kFailedPrecondition);
  EXPECT_NE(status.message().find("43 of the last 4196 records"), std::string::npos);
  EXPECT_NE(status.message().find("no number"), std::string::npos) << status.message();
}

TEST(DeadLetterLimitTest, WhatIsLongPastCountsNoMore) {
  DeadLetterLimit limit(0.5);
  EXPECT_TRUE(Batch(limit, 4'000, 1'900).ok());
  for (int i = 0; i < 12'000; ++i)
    EXPECT_TRUE(Batch(limit, 1, 0).ok());
  // 5,000 of 10,000 and a little more; with the first batch it would be too many.
  EXPECT_TRUE(Batch(limit, 5'000, 5'000).ok());
  EXPECT_FALSE(Batch(limit, 1'000, 1'000).ok());
}

TEST(DeadLetterLimitTest, NoneAtAllMayBeAllowed) {
  DeadLetterLimit limit(0);
  EXPECT_TRUE(Batch(limit, 10'000, 0).ok());
  EXPECT_FALSE(Batch(limit, 1, 1).ok());
}

}  // namespace
}  // namespace slipstream::runtime
