#include "common/clock/clock.h"

namespace slipstream {

SystemClock& SystemClock::Get() {
  static SystemClock clock;
  return clock;
}

SteadyTime SystemClock::Now() const {
  return std::chrono::steady_clock::now();
}

WallTime SystemClock::WallNow() const {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace slipstream
