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
#include "gateway/api/job_description.h"
#include "gateway/api/worker_state.h"

namespace slipstream::gateway::api {

// StateBoard: what was heard last of the cluster and of the jobs. However many look at it, the
// master and Kafka are asked once.
//
// Bound    kWorkersMax workers, kJobsMax descriptions: more are not taken.
// Threads  thread-safe.
class StateBoard final {
 public:
  static constexpr size_t kWorkersMax = 10'000;
  static constexpr size_t kJobsMax = 200;

  struct Cluster {
    dfs::ClusterState state;
    SteadyTime heard_at;
  };

  void SetCluster(dfs::ClusterState state, SteadyTime now);
  // Nothing: the master has not answered yet.
  std::optional<Cluster> cluster() const;

  // A record of the status topic; without a value the worker has left. What is no status is passed
  // over.
  void Apply(std::string_view key, std::optional<std::string_view> value);
  std::vector<WorkerState> workers() const;  // by slot
  // What jobs are that have run, by their names, whether they run now or not.
  std::optional<JobDescription> description(std::string_view job) const;
  std::vector<JobDescription> descriptions() const;
  // Why no more is known of jobs; OK: all that is on the topic was read.
  void SetJobsHealth(Status health);
  Status jobs_health() const;

 private:
  void Describe(std::string_view job, std::optional<std::string_view> value);

  mutable Mutex mutex_;
  std::optional<Cluster> cluster_ GUARDED_BY(mutex_);
  std::map<std::string, WorkerState, std::less<>> workers_ GUARDED_BY(mutex_);
  std::map<std::string, JobDescription, std::less<>> descriptions_ GUARDED_BY(mutex_);
  Status jobs_health_ GUARDED_BY(mutex_) = Unavailable("the jobs' status was not read yet");
};

}  // namespace slipstream::gateway::api
