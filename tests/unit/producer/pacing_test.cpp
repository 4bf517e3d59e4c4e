#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"
#include "producer/pacing/pacer.h"

namespace slipstream::producer {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Pacer::EventTime Event(milliseconds since_start) {
  return Pacer::EventTime(hours(24 * 365) + since_start);
}

TEST(ParseSpeedTest, TakesFactorsAndMax) {
  EXPECT_EQ(ParseSpeed("max"), kMaxSpeed);
  EXPECT_EQ(ParseSpeed("1x"), 1.0);
  EXPECT_EQ(ParseSpeed("3600x"), 3600.0);
  EXPECT_EQ(ParseSpeed("0.5"), 0.5);
  for (const char* bad : {"", "x", "0x", "-1x", "fast", "1xx", "nan", "inf", "2000000x"}) {
    EXPECT_FALSE(ParseSpeed(bad).ok()) << bad;
  }
}

TEST(PacerTest, MaxNeverWaits) {
  ManualClock clock;
  Pacer pacer({});

  EXPECT_FALSE(pacer.waits());
  EXPECT_LE(pacer.NextDue(Event(hours(0)), clock.Now()), clock.Now());
  EXPECT_LE(pacer.NextDue(Event(hours(5)), clock.Now()), clock.Now());
}

TEST(PacerTest, EventTimeGoesByAtSpeed) {
  ManualClock clock;
  Pacer pacer({.speed = 3600});
  const SteadyTime start = clock.Now();

  EXPECT_EQ(pacer.NextDue(Event(hours(0)), clock.Now()), start);
  EXPECT_EQ(pacer.NextDue(Event(hours(1)), clock.Now()), start + seconds(1));
  clock.Advance(seconds(30));  // a late sender catches up
  EXPECT_EQ(pacer.NextDue(Event(hours(2)), clock.Now()), start + seconds(2));
  EXPECT_EQ(pacer.NextDue(Event(hours(24)), clock.Now()), start + seconds(24));
}

TEST(PacerTest, EventTimesThatGoBackAreDueAtOnce) {
  ManualClock clock;
  Pacer pacer({.speed = 1});
  const SteadyTime start = clock.Now();
  (void)pacer.NextDue(Event(hours(10)), clock.Now());

  EXPECT_EQ(pacer.NextDue(Event(hours(1)), clock.Now()), start);
}

TEST(PacerTest, ARateBoundsEverySpeed) {
  ManualClock clock;
  const SteadyTime start = clock.Now();
  Pacer at_most({.rows_per_second = 10});
  Pacer both({.speed = 1, .rows_per_second = 10});

  for (int i = 0; i < 25; ++i) {
    EXPECT_EQ(at_most.NextDue(Event(hours(i)), clock.Now()), start + milliseconds(100 * i));
    EXPECT_EQ(both.NextDue(Event(seconds(i)), clock.Now()), start + seconds(i));
  }
}

}  // namespace
}  // namespace slipstream::producer
