#pragma once

#include <string>

namespace slipstream::dfs {

// 32 hex digits from the system's random source: names a request that may arrive twice, or a
// writer.
std::string NewRandomId();

}  // namespace slipstream::dfs
