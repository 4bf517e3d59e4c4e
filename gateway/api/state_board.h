#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "dfs-client/cluster_types.h"
#include "gateway/api/worker_state.h"

namespace slipstream::gateway::api {

// StateBoard: what was heard last of the cluster and of the jobs. However many look at it, the
// master and Kafka are asked once.
//
// Bound    kWorkersMax workers: more are not taken.
// Threads  thread-safe.
class StateBoard final {
 public:
  static constexpr size_t kWorkersMax = 10'000;

  struct Cluster {
    dfs::ClusterState state;
    SteadyTime heard_at;
  };

  void SetCluster(dfs::ClusterState state, SteadyTime now);
  // Nothing: the master has not answered yet.
  std::optional<Cluster> cluster() const;

  // A record of the status topic; without a value the worker has left. What is no status is passed
  // over.
  void Apply(std::string_view slot, std::optional<std::string_view> value);
  std::vector<WorkerState> workers() const;  // by slot
  // Why no more is known of jobs; OK: all that is on the topic was read.
  void SetJobsHealth(Status health);
  Status jobs_health() const;

 private:
  mutable Mutex mutex_;
  std::optional<Cluster> cluster_ GUARDED_BY(mutex_);
  std::map<std::string, WorkerState, std::less<>> workers_ GUARDED_BY(mutex_);
  Status jobs_health_ GUARDED_BY(mutex_) = Unavailable("the jobs' status was not read yet");
};

}  // namespace slipstream::gateway::api
