#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/clock/clock.h"
#include "common/sync/mutex.h"

namespace slipstream::dfs {

// DelayedWork: does things after a while, unless they are cancelled before; which they mostly are,
// so that putting something in and taking it out again is cheap and wakes nobody.
//
// Threads    thread-safe. Work runs on up to `threads_max` threads of its own, started when needed;
//            what finds them busy waits.
// Ownership  the destructor waits for running work; what was not begun is dropped.
class DelayedWork final {
 public:
  // When it is due, and a number that no other has.
  using Ticket = std::pair<SteadyTime, uint64_t>;

  DelayedWork(std::string name, size_t threads_max);
  ~DelayedWork();

  DelayedWork(const DelayedWork&) = delete;
  DelayedWork& operator=(const DelayedWork&) = delete;

  Ticket After(std::chrono::microseconds delay, std::function<void()> work);

  // False: it has begun, or it is done.
  bool Cancel(const Ticket& ticket);

 private:
  void Run(const std::stop_token& stop);

  const std::string name_;
  const size_t threads_max_;
  Mutex mutex_;
  CondVar wake_;
  std::map<Ticket, std::function<void()>> waiting_ GUARDED_BY(mutex_);
  uint64_t next_number_ GUARDED_BY(mutex_) = 0;
  size_t idle_ GUARDED_BY(mutex_) = 0;
  // Some thread looks what is due then at the latest, without being woken; perhaps for work that
  // was cancelled meanwhile.
  SteadyTime wakes_at_ GUARDED_BY(mutex_) = SteadyTime::max();
  std::stop_source stop_;
  std::vector<std::jthread> threads_ GUARDED_BY(mutex_);  // last: they use all of the above
};

}  // namespace slipstream::dfs
