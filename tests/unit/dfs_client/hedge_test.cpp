#include <atomic>
#include <chrono>
#include <future>

#include <gtest/gtest.h>

#include "dfs-client/delayed_work.h"
#include "dfs-client/hedge_policy.h"

namespace slipstream::dfs {
namespace {

using std::chrono::microseconds;

TEST(HedgePolicyTest, WaitsTwiceThePercentileOfReadsOfLikeLength) {
  HedgePolicy policy;
  EXPECT_EQ(policy.Delay(1000), HedgePolicy::kDelayAtFirst);

  for (int i = 0; i < 96; ++i)
    policy.Record(1000, microseconds(i < 80 ? 1'000 : 50'000));

  EXPECT_EQ(policy.Delay(1000), microseconds(100'000));
  EXPECT_EQ(policy.Delay(4 << 20), HedgePolicy::kDelayAtFirst);
}

TEST(HedgePolicyTest, NeverHurries) {
  HedgePolicy policy;
  for (int i = 0; i < 200; ++i)
    policy.Record(1000, microseconds(10));

  EXPECT_EQ(policy.Delay(1000), HedgePolicy::kDelayMin);
}

TEST(HedgePolicyTest, AddsAtMostATenthOfTheReads) {
  HedgePolicy policy;
  int taken = 0;
  while (policy.TryTake())
    ++taken;
  EXPECT_EQ(taken, static_cast<int>(HedgePolicy::kSavedMax));

  for (int i = 0; i < 1000; ++i) {
    policy.Record(1000, microseconds(1'000));
    if (policy.TryTake()) ++taken;
  }

  EXPECT_LE(taken, 100 + static_cast<int>(HedgePolicy::kSavedMax));
  EXPECT_GE(taken, 95);
}

TEST(DelayedWorkTest, IsDoneUnlessItIsCancelled) {
  std::atomic<bool> is_cancelled_done = false;
  std::promise<void> done;
  DelayedWork delayed("test", 2);

  const auto ticket = delayed.After(std::chrono::hours(1), [&] { is_cancelled_done = true; });
  const auto due = delayed.After(microseconds(0), [&] { done.set_value(); });

  done.get_future().wait();
  EXPECT_TRUE(delayed.Cancel(ticket));
  EXPECT_FALSE(delayed.Cancel(ticket));
  EXPECT_FALSE(delayed.Cancel(due));
  EXPECT_FALSE(is_cancelled_done);
}

}  // namespace
}  // namespace slipstream::dfs
