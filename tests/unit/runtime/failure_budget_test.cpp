#include "processor/runtime/failure_budget.h"

#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"

namespace slipstream::runtime {
namespace {

TEST(FailureBudgetTest, EpochsThatFailForEverEndTheWorker) {
  const ManualClock clock;
  FailureBudget failures(clock);
  const Status why = Aborted("why");

  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(failures.OnEpochFailed(why).ok());
  failures.OnCommitted();
  for (int i = 0; i < 19; ++i)
    EXPECT_TRUE(failures.OnEpochFailed(why).ok());

  EXPECT_EQ(failures.OnEpochFailed(why).code(), Code::kAborted);
}

TEST(FailureBudgetTest, ThreeBrokenClientsInAMinuteEndTheWorker) {
  ManualClock clock;
  FailureBudget failures(clock);
  const Status why = FailedPrecondition("why");

  EXPECT_TRUE(failures.OnClientBroken(why).ok());
  EXPECT_TRUE(failures.OnClientBroken(why).ok());
  clock.Advance(std::chrono::seconds(61));
  EXPECT_TRUE(failures.OnClientBroken(why).ok());
  EXPECT_TRUE(failures.OnClientBroken(why).ok());

  EXPECT_EQ(failures.OnClientBroken(why).code(), Code::kFailedPrecondition);
}

}  // namespace
}  // namespace slipstream::runtime
