#include "dfs-client/delayed_work.h"

#include <pthread.h>

namespace slipstream::dfs {

DelayedWork::DelayedWork(std::string name, size_t threads_max)
    : name_(std::move(name)), threads_max_(threads_max) {}

DelayedWork::~DelayedWork() {
  std::vector<std::jthread> threads;
  {
    MutexLock lock(mutex_);
    stop_.request_stop();
    wake_.NotifyAll();
    threads.swap(threads_);
  }
  threads.clear();  // joins
}

DelayedWork::Ticket DelayedWork::After(std::chrono::microseconds delay,
                                       std::function<void()> work) {
  MutexLock lock(mutex_);
  const Ticket ticket{SystemClock::Get().Now() + delay, next_number_++};
  waiting_.emplace(ticket, std::move(work));
  if (idle_ == 0 && threads_.size() < threads_max_) {
    threads_.emplace_back([this, stop = stop_.get_token()] { Run(stop); });
    // The kernel takes 15 characters.
    pthread_setname_np(threads_.back().native_handle(), name_.substr(0, 15).c_str());
  } else if (ticket.first < wakes_at_) {
    wake_.NotifyOne();
  }
  return ticket;
}

bool DelayedWork::Cancel(const Ticket& ticket) {
  MutexLock lock(mutex_);
  return waiting_.erase(ticket) > 0;
}

void DelayedWork::Run(const std::stop_token& stop) {
  while (true) {
    std::function<void()> work;
    {
      MutexLock lock(mutex_);
      ++idle_;
      while (!stop.stop_requested()) {
        wakes_at_ = SteadyTime::max();
        if (waiting_.empty()) {
          wake_.Wait(mutex_);
          continue;
        }
        const auto next = waiting_.begin();
        const auto rest = next->first.first - SystemClock::Get().Now();
        if (rest <= std::chrono::nanoseconds(0)) {
          work = std::move(next->second);
          waiting_.erase(next);
          break;
        }
        wakes_at_ = next->first.first;
        wake_.WaitFor(mutex_, rest);
      }
      --idle_;
      if (stop.stop_requested()) return;
    }
    work();
  }
}

}  // namespace slipstream::dfs
