#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status/status.h"

// The levels of a process that runs.

namespace slipstream::log {

// Sets the level of `logger` and of those below it ("dfs_master" is above "dfs_master.repair"), or,
// where it is empty, of all, those made later included. Thread-safe.
// Errors: kInvalidArgument (no such level), kNotFound (no such logger has said anything yet).
Status SetLevel(std::string_view logger, const std::string& level);

// All loggers made so far with their levels, by name. Thread-safe.
std::vector<std::pair<std::string, std::string>> Levels();

}  // namespace slipstream::log
