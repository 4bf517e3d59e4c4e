#pragma once

#include <chrono>
#include <stop_token>

namespace slipstream {

// Lets `duration` of the machine's time pass, on the calling thread. False, and at once, when
// `stop` is triggered before that.
bool SleepUnlessStopped(std::chrono::milliseconds duration, const std::stop_token& stop);

}  // namespace slipstream
