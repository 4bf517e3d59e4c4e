#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "common/status/status.h"

// Durations as they stand in flags.

namespace slipstream {

// "500ms", "2s", "1.5m", "1h"; a bare number is seconds. Above zero, at most a week; what is finer
// than a millisecond is rounded up to one.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

// "2s,5s,10s".
Result<std::vector<std::chrono::milliseconds>> ParseDurations(std::string_view text);

}  // namespace slipstream
