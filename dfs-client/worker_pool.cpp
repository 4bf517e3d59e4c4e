#include "dfs-client/worker_pool.h"

#include <algorithm>

#include <pthread.h>

#include "common/trace/trace.h"

namespace slipstream::dfs {
namespace {

// What the threads of one ForEach share. A thread that comes late finds no index left, and touches
// nothing of the caller's.
struct Loop {
  Mutex mutex;
  CondVar finished;
  size_t next GUARDED_BY(mutex) = 0;
  size_t running GUARDED_BY(mutex) = 0;
};

void TakePart(Loop& loop, size_t count, const std::function<void(size_t)>& work) {
  while (true) {
    size_t index = 0;
    {
      MutexLock lock(loop.mutex);
      if (loop.next == count) return;
      index = loop.next++;
      ++loop.running;
    }
    work(index);
    MutexLock lock(loop.mutex);
    --loop.running;
    loop.finished.NotifyAll();
  }
}

}  // namespace

WorkerPool::WorkerPool(std::string name, size_t threads_max)
    : name_(std::move(name)), threads_max_(threads_max) {}

WorkerPool::~WorkerPool() {
  std::vector<std::jthread> threads;
  {
    MutexLock lock(mutex_);
    stop_.request_stop();
    wake_.NotifyAll();
    threads.swap(threads_);
  }
  threads.clear();  // joins
}

void WorkerPool::Enqueue(std::function<void()> task) {
  // Whoever does it is at work on what the one who asked for it is.
  const trace::Id trace = trace::Current();
  MutexLock lock(mutex_);
  queue_.push([trace, task = std::move(task)] {
    const trace::Scope scope(trace);
    task();
  });
  if (idle_ < queue_.size() && threads_.size() < threads_max_) {
    threads_.emplace_back([this, stop = stop_.get_token()] { Run(stop); });
    // The kernel takes 15 characters.
    pthread_setname_np(threads_.back().native_handle(), name_.substr(0, 15).c_str());
  }
  wake_.NotifyOne();
}

void WorkerPool::Run(const std::stop_token& stop) {
  while (true) {
    std::function<void()> task;
    {
      MutexLock lock(mutex_);
      ++idle_;
      while (queue_.empty() && !stop.stop_requested())
        wake_.Wait(mutex_);
      --idle_;
      if (stop.stop_requested()) return;
      task = std::move(queue_.front());
      queue_.pop();
    }
    task();
  }
}

void WorkerPool::ForEach(size_t count,
                         size_t parallelism,
                         const std::function<void(size_t index)>& work) {
  if (count == 0) return;
  // Shared with the helpers, of which some may begin after this call has returned.
  auto loop = std::make_shared<Loop>();
  const size_t helpers = is_inline() ? 0 : std::min(count, parallelism) - 1;
  for (size_t i = 0; i < helpers; ++i)
    Enqueue([loop, count, &work] { TakePart(*loop, count, work); });
  TakePart(*loop, count, work);

  MutexLock lock(loop->mutex);
  while (loop->running != 0)
    loop->finished.Wait(loop->mutex);
}

}  // namespace slipstream::dfs
