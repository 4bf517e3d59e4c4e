#pragma once

#include <chrono>
#include <stop_token>

#include "common/sync/mutex.h"

namespace slipstream::datanode {

// Waker: what a background thread waits on between two rounds of its work. Threads: thread-safe.
class Waker final {
 public:
  // Returns when Wake() was called since the last return, when `timeout` has passed, or when `stop`
  // was requested; now and then for no reason.
  void Wait(const std::stop_token& stop, std::chrono::milliseconds timeout) {
    std::stop_callback on_stop(stop, [this] { Wake(); });
    MutexLock lock(mutex_);
    if (!is_woken_) condition_.WaitFor(mutex_, timeout);
    is_woken_ = false;
  }

  void Wake() {
    {
      MutexLock lock(mutex_);
      is_woken_ = true;
    }
    condition_.NotifyOne();
  }

 private:
  Mutex mutex_;
  CondVar condition_;
  bool is_woken_ GUARDED_BY(mutex_) = false;
};

}  // namespace slipstream::datanode
