#include "dfs-master/work_queue.h"

#include <future>
#include <vector>

#include <gtest/gtest.h>

namespace slipstream::dfs::master {
namespace {

TEST(WorkQueueTest, WorkIsDoneInOrderAndTheRestAtTheEnd) {
  std::vector<int> done;
  {
    WorkQueue queue({.threads = 1, .capacity = 100});
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(queue.TryAdd([&done, i] { done.push_back(i); }));
  }
  ASSERT_EQ(done.size(), 100U);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(done[static_cast<size_t>(i)], i);
}

TEST(WorkQueueTest, TakesNoMoreThanItsBound) {
  std::promise<void> is_begun;
  std::promise<void> may_end;
  int done = 0;
  {
    WorkQueue queue({.threads = 1, .capacity = 2});
    ASSERT_TRUE(queue.TryAdd([&] {
      is_begun.set_value();
      may_end.get_future().wait();
    }));
    is_begun.get_future().wait();
    EXPECT_TRUE(queue.TryAdd([&] { ++done; }));
    EXPECT_TRUE(queue.TryAdd([&] { ++done; }));
    EXPECT_FALSE(queue.TryAdd([&] { ++done; }));
    may_end.set_value();
  }
  EXPECT_EQ(done, 2);
}

}  // namespace
}  // namespace slipstream::dfs::master
