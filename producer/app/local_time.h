#pragma once

#include <chrono>

#include "common/clock/clock.h"

namespace slipstream::producer {

// What a clock on this machine's wall (TZ, /etc/localtime) shows at `time`.
std::chrono::local_time<std::chrono::milliseconds> LocalTime(WallTime time);

}  // namespace slipstream::producer
