#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "common/sync/mutex.h"

namespace slipstream::dfs::master {

// WorkQueue: work for a few threads, in the order it came, and not more of it than a bound.
//
// Threads     thread-safe; owns its threads.
// Blocking    TryAdd does not block. The destructor carries out what is queued.
class WorkQueue final {
 public:
  struct Options {
    size_t threads = 4;
    size_t capacity = 4'096;  // waiting, beside what is being carried out
  };

  explicit WorkQueue(const Options& options);
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // False where as much as may is waiting already.
  bool TryAdd(std::function<void()> work);

  // Whether nothing waits and nothing is being carried out; may be otherwise a moment later.
  bool is_idle() const { return unfinished_.load(std::memory_order_relaxed) == 0; }

 private:
  void Run();

  const size_t capacity_;
  std::atomic<size_t> unfinished_{0};
  Mutex mutex_;
  CondVar added_;
  std::deque<std::function<void()>> waiting_ GUARDED_BY(mutex_);
  size_t idle_threads_ GUARDED_BY(mutex_) = 0;
  bool is_ending_ GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace slipstream::dfs::master
