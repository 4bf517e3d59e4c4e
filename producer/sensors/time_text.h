#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace slipstream::producer {

// A time as files and flags have it: "2013-01-01T06:00:00Z", or with a space and without the Z.
// Whose clocks it is of, the Z or not, the caller knows. Empty if the text is none, or no such
// date exists.
std::optional<std::chrono::local_time<std::chrono::milliseconds>> ParseTime(std::string_view text);

}  // namespace slipstream::producer
