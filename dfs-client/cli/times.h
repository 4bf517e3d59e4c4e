#pragma once

#include <cstdint>
#include <optional>
#include <string>

// Times as people write them on a command line, in milliseconds since 1970 UTC.

namespace slipstream::dfs::cli {

// "yyyyMMdd:HHmmss", local; nothing for anything else.
std::optional<int64_t> ParseTouchTime(const std::string& text);

// "yyMMddHHmmss", UTC: the name of a checkpoint of the trash; perhaps with "-N" behind it, of
// several in one second. Nothing for anything else.
std::optional<int64_t> ParseCheckpointTime(const std::string& name);
std::string CheckpointName(int64_t time_ms);

// "2021-04-25 10:01:01,123", local: as log lines of Hadoop begin.
std::string LogTime(int64_t time_ms);

}  // namespace slipstream::dfs::cli
