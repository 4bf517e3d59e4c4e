#include "dfs-datanode/step_loop.h"

#include "common/clock/sleep.h"

namespace slipstream::datanode {

void StepLoop::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void StepLoop::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void StepLoop::Wake() {
  {
    MutexLock lock(mutex_);
    is_woken_ = true;
  }
  condition_.NotifyOne();
}

void StepLoop::Run(const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [this] { Wake(); });
  while (!stop.stop_requested()) {
    const std::chrono::milliseconds wait = step_(stop);
    bool was_woken = false;
    {
      MutexLock lock(mutex_);
      if (!is_woken_ && wait > std::chrono::milliseconds(0)) condition_.WaitFor(mutex_, wait);
      was_woken = is_woken_;
      is_woken_ = false;
    }
    if (was_woken && settle_time_ > std::chrono::milliseconds(0)) {
      (void)SleepUnlessStopped(settle_time_, stop);
    }
  }
}

}  // namespace slipstream::datanode
