#pragma once

#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "common/status/status.h"
#include "common/sync/mutex.h"

namespace slipstream::dfs::master {

// DurableAnswers: answers that are ready, waiting for the log to be durable up to a position. One
// thread waits for the furthest of them and then gives all: however many requests come together,
// one sync and one thread serve them, and those that come meanwhile are the next round.
//
// Threads     thread-safe; owns the one thread, which calls both functions.
// Blocking    Add does not block. The destructor waits until everything added has been given.
class DurableAnswers final {
 public:
  using Give = std::function<void(const Status&)>;

  // `await` returns when the log is durable up to a position, or why it cannot be.
  explicit DurableAnswers(std::function<Status(uint64_t position)> await);
  ~DurableAnswers();
  DurableAnswers(const DurableAnswers&) = delete;
  DurableAnswers& operator=(const DurableAnswers&) = delete;

  // Calls `give` once the log is durable up to `position`, with OK, or with await's error.
  void Add(uint64_t position, Give give);

 private:
  struct Answer {
    uint64_t position;
    Give give;
  };

  void Run();

  const std::function<Status(uint64_t)> await_;
  Mutex mutex_;
  CondVar added_;
  std::vector<Answer> answers_ GUARDED_BY(mutex_);
  bool is_ending_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace slipstream::dfs::master
