#pragma once

#include <memory>
#include <string_view>

#include "common/status/status.h"
#include "dfs-master/master.h"

namespace prometheus {
class Collectable;
}

namespace slipstream::dfs::master {

// What Prometheus is told of a master: slipstream_dfs_master_….
// Threads: thread-safe.
class Metrics final {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // One call of an RPC.
  void CountCall(std::string_view method, Code code, double seconds);
  // The state of the cluster as of now.
  void SetClusterState(const ClusterState& state);

  const prometheus::Collectable& registry() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The state of the cluster as /status gives it.
std::string ToJson(const ClusterState& state);

}  // namespace slipstream::dfs::master
