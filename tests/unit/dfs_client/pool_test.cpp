#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"
#include "dfs-client/suspect_nodes.h"
#include "dfs-client/worker_pool.h"

namespace slipstream::dfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(WorkerPoolTest, DoesWhatIsSubmitted) {
  WorkerPool pool("test", 2);
  std::vector<std::future<int>> results;

  for (int i = 0; i < 100; ++i)
    results.push_back(pool.Submit([i] { return i * i; }));

  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(results[static_cast<size_t>(i)].get(), i * i);
}

TEST(WorkerPoolTest, TakesWorkThatCannotBeCopied) {
  WorkerPool pool("test", 1);

  auto result = pool.Submit([value = std::make_unique<int>(7)] { return *value; });

  EXPECT_EQ(result.get(), 7);
}

TEST(WorkerPoolTest, ForEachCallsEveryIndexOnce) {
  WorkerPool pool("test", 3);
  std::vector<std::atomic<int>> calls(1000);

  pool.ForEach(calls.size(), 4, [&](size_t i) { ++calls[i]; });

  for (const std::atomic<int>& count : calls)
    EXPECT_EQ(count, 1);
}

TEST(WorkerPoolTest, ForEachEndsFromWithinAFullPool) {
  WorkerPool pool("test", 1);
  std::atomic<int> calls = 0;

  pool.Submit([&] { pool.ForEach(10, 4, [&](size_t) { ++calls; }); }).get();

  EXPECT_EQ(calls, 10);
}

TEST(WorkerPoolTest, ForEachOfNothingReturns) {
  WorkerPool pool("test", 1);

  pool.ForEach(0, 4, [](size_t) { FAIL(); });
}

TEST(SuspectNodesTest, AreForgivenAfterAWhile) {
  ManualClock clock;
  SuspectNodes suspects(std::chrono::seconds(10));
  suspects.Add("a", clock.Now());
  clock.Advance(std::chrono::seconds(5));
  suspects.Add("b", clock.Now());

  EXPECT_THAT(suspects.List(clock.Now()), ElementsAre("b", "a"));
  clock.Advance(std::chrono::seconds(5));
  EXPECT_THAT(suspects.List(clock.Now()), ElementsAre("b"));
  EXPECT_FALSE(suspects.Contains("a", clock.Now()));
}

TEST(SuspectNodesTest, AreForgivenWhenTheyAnswer) {
  ManualClock clock;
  SuspectNodes suspects(std::chrono::seconds(10));
  suspects.Add("a", clock.Now());

  suspects.Remove("a");

  EXPECT_THAT(suspects.List(clock.Now()), IsEmpty());
}

}  // namespace
}  // namespace slipstream::dfs
