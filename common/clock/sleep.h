#pragma once

#include <chrono>
#include <stop_token>

namespace slipstream {

// Lets `duration` of the machine's time pass, on the calling thread. False, and at once, when
// `stop` is triggered before that.
bool SleepUnlessStopped(std::chrono::milliseconds duration, const std::stop_token& stop);

// Sleeper: how whoever must wait lets time pass: the machine's, or a simulation's, where other
// things happen meanwhile. Goes together with a Clock that shows the same time.
// Threads: every implementation says; the machine's is thread-safe.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  // As SleepUnlessStopped.
  virtual bool Sleep(std::chrono::milliseconds duration, const std::stop_token& stop) = 0;
};

class SystemSleeper final : public Sleeper {
 public:
  static SystemSleeper& Get();
  bool Sleep(std::chrono::milliseconds duration, const std::stop_token& stop) override;
};

}  // namespace slipstream
