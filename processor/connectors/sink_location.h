#pragma once

#include <string>
#include <string_view>

#include "common/status/status.h"

namespace slipstream::runtime {

// Where a file sink writes: what the `path` option of a filesystem table says.
struct SinkLocation {
  bool is_dfs = false;    // else a local folder
  std::string authority;  // HOST:PORT of a dfs path; empty: the --master of the process
  std::string folder;     // absolute, with a '/' at its end
};

// "dfs:///delays", "dfs://host:port/x", "file:///x" or "/x". Errors: kInvalidArgument.
Result<SinkLocation> ParseSinkLocation(std::string_view path);

}  // namespace slipstream::runtime
