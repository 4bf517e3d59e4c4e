#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::producer {

// "500ms", "2s", "5m", "1h": above zero, at most a week.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

// "2s,5s,10s".
Result<std::vector<std::chrono::milliseconds>> ParseDurations(std::string_view text);

}  // namespace slipstream::producer
