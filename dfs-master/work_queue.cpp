#include "dfs-master/work_queue.h"

#include <utility>

namespace slipstream::dfs::master {

WorkQueue::WorkQueue(const Options& options) : capacity_(options.capacity) {
  for (size_t i = 0; i < options.threads; ++i)
    threads_.emplace_back([this] { Run(); });
}

WorkQueue::~WorkQueue() {
  {
    MutexLock lock(mutex_);
    is_ending_ = true;
  }
  added_.NotifyAll();
  for (std::jthread& thread : threads_)
    thread.join();
}

bool WorkQueue::TryAdd(std::function<void()> work) {
  bool has_idle = false;
  {
    MutexLock lock(mutex_);
    if (waiting_.size() >= capacity_) return false;
    waiting_.push_back(std::move(work));
    ++unfinished_;
    has_idle = idle_threads_ > 0;
  }
  if (has_idle) added_.NotifyOne();
  return true;
}

void WorkQueue::Run() {
  for (;;) {
    std::function<void()> work;
    {
      MutexLock lock(mutex_);
      ++idle_threads_;
      while (waiting_.empty() && !is_ending_)
        added_.Wait(mutex_);
      --idle_threads_;
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
    --unfinished_;
  }
}

}  // namespace slipstream::dfs::master
