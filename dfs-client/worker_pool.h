#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <queue>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/sync/mutex.h"

namespace slipstream::dfs {

// WorkerPool: a few threads that do what is submitted, in order. They are started as work comes,
// so that a client that only asks the master starts none.
//
// Inline     with threads_max 0 there are none: work is done by whoever submits it, before Submit
//            returns. For a client inside a simulation.
// Bound      the queue has none: whoever submits bounds what it has outstanding (a reader its
//            window, a writer its uploads).
// Threads    thread-safe. Work must not wait for other work of the same pool, except through
//            ForEach, whose caller does all that nobody else takes.
// Ownership  the destructor waits for running work; what was not begun is dropped, and its future
//            throws std::future_error: wait for what you submitted before you destroy the pool.
class WorkerPool final {
 public:
  WorkerPool(std::string name, size_t threads_max);
  ~WorkerPool();

  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  bool is_inline() const { return threads_max_ == 0; }

  template <class Work>
  std::future<std::invoke_result_t<Work>> Submit(Work work) {
    // Shared only because std::function copies what it holds; there is one at any time.
    auto task = std::make_shared<std::packaged_task<std::invoke_result_t<Work>()>>(std::move(work));
    auto future = task->get_future();
    if (threads_max_ == 0) {
      (*task)();
      return future;
    }
    Enqueue([task] { (*task)(); });
    return future;
  }

  // Calls `work` for 0 … count-1, on up to `parallelism` threads of which the caller is one;
  // returns when all calls have. In order, where there are no threads.
  void ForEach(size_t count, size_t parallelism, const std::function<void(size_t index)>& work);

 private:
  void Enqueue(std::function<void()> task);
  void Run(const std::stop_token& stop);

  const std::string name_;
  const size_t threads_max_;
  Mutex mutex_;
  CondVar wake_;
  std::queue<std::function<void()>> queue_ GUARDED_BY(mutex_);
  size_t idle_ GUARDED_BY(mutex_) = 0;
  std::stop_source stop_;
  std::vector<std::jthread> threads_ GUARDED_BY(mutex_);  // last: they use all of the above
};

}  // namespace slipstream::dfs
