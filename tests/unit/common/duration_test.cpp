#include "common/duration/duration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipstream {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(DurationTest, TakesUnits) {
  EXPECT_EQ(ParseDuration("500ms"), milliseconds(500));
  EXPECT_EQ(ParseDuration("2s"), seconds(2));
  EXPECT_EQ(ParseDuration("5m"), minutes(5));
  EXPECT_EQ(ParseDuration("168h"), hours(168));
}

TEST(DurationTest, ABareNumberIsSecondsAndMayHaveAFraction) {
  EXPECT_EQ(ParseDuration("2"), seconds(2));
  EXPECT_EQ(ParseDuration("0.1"), milliseconds(100));
  EXPECT_EQ(ParseDuration("1.5m"), seconds(90));
}

TEST(DurationTest, RefusesWhatIsNoDuration) {
  for (const char* bad : {"", "s", "-1s", "0s", "1d", "1 s", "169h", "1e3s", "nan", "inf", "1ss"}) {
    EXPECT_EQ(ParseDuration(bad).status().code(), Code::kInvalidArgument) << bad;
  }
}

TEST(DurationTest, ListsAreSeparatedByCommas) {
  EXPECT_THAT(*ParseDurations("2s,5s,10s"),
              testing::ElementsAre(seconds(2), seconds(5), seconds(10)));
  EXPECT_FALSE(ParseDurations("2s,").ok());
}

}  // namespace
}  // namespace slipstream
