#pragma once

#include <chrono>

#include "common/clock/clock.h"

namespace slipstream::runtime {

// IdleTimer: for how long a partition has had nothing, counted only while somebody looked: time in
// which the worker did something else (a commit that waits for the file system, a process that was
// stopped) says nothing about what has arrived meanwhile. Threads: not thread-safe.
class IdleTimer final {
 public:
  explicit IdleTimer(std::chrono::milliseconds timeout) : timeout_(timeout) {}

  // A read came back empty, with the partition's end reached before.
  void OnEmptyRead(SteadyTime now);
  // Records came, or it turned out that some are there.
  void Restart();
  bool is_over() const { return quiet_ >= timeout_; }

 private:
  const std::chrono::milliseconds timeout_;
  std::chrono::nanoseconds quiet_{0};
  SteadyTime last_read_at_;
  bool is_counting_ = false;
};

}  // namespace slipstream::runtime
