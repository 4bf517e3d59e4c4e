#include "common/clock/sleep.h"

#include <thread>

#include <gtest/gtest.h>

#include "common/clock/clock.h"

namespace slipstream {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(SleepTest, LastsAsLongAsAskedFor) {
  const SteadyTime start = SystemClock::Get().Now();
  EXPECT_TRUE(SleepUnlessStopped(milliseconds(2), {}));
  EXPECT_GE(SystemClock::Get().Now() - start, milliseconds(2));
  EXPECT_TRUE(SleepUnlessStopped(milliseconds(0), {}));
}

TEST(SleepTest, AStopBeforeOrInItEndsIt) {
  std::stop_source stop;
  bool completed = true;
  std::jthread sleeper(
      [&, token = stop.get_token()] { completed = SleepUnlessStopped(hours(1), token); });
  stop.request_stop();
  sleeper.join();
  EXPECT_FALSE(completed);
  EXPECT_FALSE(SleepUnlessStopped(hours(1), stop.get_token()));
}

}  // namespace
}  // namespace slipstream
