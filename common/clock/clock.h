#pragma once

#include <chrono>

namespace slipstream {

// For durations and deadlines: never goes back, means nothing outside this process.
using SteadyTime = std::chrono::steady_clock::time_point;
// For timestamps people and other processes see: milliseconds since 1970 UTC, may jump.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

// Clock: where time comes from. Logic that only compares times takes `now` as an argument
// instead. Event time (the time in the data) is neither of these: see processor/types.
// Threads: every implementation is thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime Now() const = 0;
  virtual WallTime WallNow() const = 0;
};

// The machine's clocks. The one place that reads them.
class SystemClock final : public Clock {
 public:
  static SystemClock& Get();
  SteadyTime Now() const override;
  WallTime WallNow() const override;
};

}  // namespace slipstream
