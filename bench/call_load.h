#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/status/status.h"

namespace grpc {
class Channel;
}

namespace slipstream::bench {

// What a load of calls came to.
struct LoadResult {
  uint64_t calls = 0;
  double seconds = 0;
  double median_ms = 0;
  double p99_ms = 0;
  std::string first_error;  // empty: all went well

  double calls_per_second() const { return static_cast<double>(calls) / seconds; }
};

// Calls `call(caller, n)` from `callers` threads, each one after another with n = 0, 1, …, until
// `duration` is over or one fails. The first tenth of the time is not counted.
LoadResult RunCallers(size_t callers,
                      std::chrono::milliseconds duration,
                      const std::function<Status(size_t caller, uint64_t n)>& call);

// So many connections to one server.
std::vector<std::shared_ptr<grpc::Channel>> Connect(const std::string& address, size_t channels);

}  // namespace slipstream::bench
