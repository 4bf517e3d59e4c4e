#include "processor/runtime/idle_timer.h"

#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

class IdleTimerTest : public ::testing::Test {
 protected:
  // `count` turns of the worker's loop that find nothing.
  void LookInVain(int count) {
    for (int i = 0; i < count; ++i) {
      clock_.Advance(milliseconds(50));
      timer_.OnEmptyRead(clock_.Now());
    }
  }

  ManualClock clock_;
  IdleTimer timer_{milliseconds(1'000)};
};

TEST_F(IdleTimerTest, IsOverAfterTheTimeoutOfEmptyReads) {
  LookInVain(20);
  EXPECT_FALSE(timer_.is_over());

  LookInVain(1);
  EXPECT_TRUE(timer_.is_over());
}

TEST_F(IdleTimerTest, RecordsStartItAnew) {
  LookInVain(20);
  timer_.Restart();
  LookInVain(20);
  EXPECT_FALSE(timer_.is_over());
}

// A commit that takes long, or SIGSTOP: records may have come meanwhile, and wait.
TEST_F(IdleTimerTest, TimeInWhichNobodyLookedDoesNotCount) {
  LookInVain(2);
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_FALSE(timer_.is_over());

  LookInVain(1);
  EXPECT_FALSE(timer_.is_over());
}

}  // namespace
}  // namespace slipstream::runtime
