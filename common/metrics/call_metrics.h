#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace prometheus {
class Registry;
}

namespace slipstream::metrics {

// CallMetrics: how often each call of a service was answered, with which outcome, and how long that
// took:
//   <prefix>s_total{<label>,code}   a counter
//   <prefix>_seconds{<label>}       a histogram, 0.2 ms to 30 s
//
// Bounds      a name or code, once counted, is kept: both must come from a fixed set, never from
//             outside.
// Ownership   registered in, and owned by, the registry, which must outlive it.
// Threads     thread-safe.
class CallMetrics final {
 public:
  struct Options {
    std::string prefix;  // "slipstream_dfs_master_rpc"
    std::string label;   // what the calls' names are called: "method"
    std::string help;    // of the time: from when to when
  };

  CallMetrics(prometheus::Registry& registry, const Options& options);
  ~CallMetrics();
  CallMetrics(const CallMetrics&) = delete;
  CallMetrics& operator=(const CallMetrics&) = delete;

  void Count(std::string_view call, std::string_view code, double seconds);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::metrics
