#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <spdlog/logger.h>

namespace slipstream::log {

// A module's logger; the same object for the same name. Names are "<daemon>.<module>", as in
// "dfs_master.repair". Lines are logfmt: a stable event name in snake_case and past tense, then
// key=value; a value that may hold spaces goes through Quoted():
//   log_->info("block_committed block={} bytes={}", id, bytes);
// Before Init() lines go to stderr at level info.
std::shared_ptr<spdlog::logger> Get(const std::string& name);

struct Options {
  std::string level = "info";  // trace, debug, info, warn, error, off
  bool to_stderr = false;      // command-line tools keep stdout for results
};

// Sets level and pattern of all loggers, made or to be made. Call once, early in main.
void Init(const Options& options);

// `text` in double quotes, with quotes, backslashes and control characters escaped, at most
// 512 bytes of it: what comes from outside cannot forge a log line.
std::string Quoted(std::string_view text);

}  // namespace slipstream::log
