#include "processor/runtime/idle_timer.h"

#include <algorithm>

namespace slipstream::runtime {
namespace {

// The most that may lie between two reads of a worker that has nothing else to do.
constexpr std::chrono::milliseconds kStepMax{200};

}  // namespace

void IdleTimer::OnEmptyRead(SteadyTime now) {
  if (is_counting_) {
    quiet_ += std::min<std::chrono::nanoseconds>(now - last_read_at_, kStepMax);
  }
  last_read_at_ = now;
  is_counting_ = true;
}

void IdleTimer::Restart() {
  quiet_ = std::chrono::nanoseconds(0);
  is_counting_ = false;
}

}  // namespace slipstream::runtime
