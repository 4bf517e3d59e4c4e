#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/sync/mutex.h"

namespace slipstream::dfs {

// SuspectNodes: the datanodes that failed this client lately. Readers try them last, writers ask
// for others; after a while they are forgiven, since the master is the judge of who is dead.
//
// Threads  thread-safe.
class SuspectNodes final {
 public:
  explicit SuspectNodes(std::chrono::milliseconds forgiven_after)
      : forgiven_after_(forgiven_after) {}

  void Add(const std::string& node_id, SteadyTime now);
  void Remove(const std::string& node_id);
  bool Contains(const std::string& node_id, SteadyTime now) const;
  // Those that failed last come first.
  std::vector<std::string> List(SteadyTime now) const;

 private:
  const std::chrono::milliseconds forgiven_after_;
  mutable Mutex mutex_;
  std::map<std::string, SteadyTime> failed_at_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::dfs
