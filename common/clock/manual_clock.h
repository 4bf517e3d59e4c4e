#pragma once

#include <atomic>

#include "common/clock/clock.h"

namespace slipstream {

// A clock that stands still until a test moves it. Threads: thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime(std::chrono::milliseconds(1'700'000'000'000)))
      : wall_start_(start) {}

  SteadyTime Now() const override { return SteadyTime(std::chrono::milliseconds(elapsed_ms_)); }
  WallTime WallNow() const override {
    return wall_start_ + std::chrono::milliseconds(elapsed_ms_ + wall_offset_ms_);
  }

  void Advance(std::chrono::milliseconds by) { elapsed_ms_ += by.count(); }
  // Moves the wall clock alone, as an administrator or NTP would.
  void JumpWall(std::chrono::milliseconds by) { wall_offset_ms_ += by.count(); }

 private:
  const WallTime wall_start_;
  std::atomic<int64_t> elapsed_ms_{1};
  std::atomic<int64_t> wall_offset_ms_{0};
};

}  // namespace slipstream
