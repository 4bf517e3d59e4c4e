#include "gateway/api/state_board.h"

#include <utility>

namespace slipstream::gateway::api {

void StateBoard::SetCluster(dfs::ClusterState state, SteadyTime now) {
  MutexLock lock(mutex_);
  cluster_ = {.state = std::move(state), .heard_at = now};
}

std::optional<StateBoard::Cluster> StateBoard::cluster() const {
  MutexLock lock(mutex_);
  return cluster_;
}

void StateBoard::Describe(std::string_view job, std::optional<std::string_view> value) {
  Result<JobDescription> parsed = JobDescription();
  if (value.has_value()) parsed = ParseJobDescription(*value);
  if (!parsed.ok()) return;
  MutexLock lock(mutex_);
  const auto found = descriptions_.find(job);
  if (!value.has_value()) {
    if (found != descriptions_.end()) descriptions_.erase(found);
  } else if (found != descriptions_.end()) {
    found->second = std::move(*parsed);
  } else if (descriptions_.size() < kJobsMax) {
    descriptions_.emplace(job, std::move(*parsed));
  }
}

void StateBoard::Apply(std::string_view key, std::optional<std::string_view> value) {
  if (key.starts_with(kDescriptionKey)) return Describe(key.substr(kDescriptionKey.size()), value);
  const std::string_view slot = key;
  std::optional<WorkerState> worker;
  if (value.has_value()) {
    Result<WorkerState> parsed = ParseWorkerState(slot, *value);
    if (!parsed.ok()) return;
    worker = std::move(*parsed);
  }
  MutexLock lock(mutex_);
  const auto found = workers_.find(slot);
  if (!worker.has_value()) {
    if (found != workers_.end()) workers_.erase(found);
  } else if (found != workers_.end()) {
    found->second = std::move(*worker);
  } else if (workers_.size() < kWorkersMax) {
    workers_.emplace(slot, std::move(*worker));
  }
}

std::vector<WorkerState> StateBoard::workers() const {
  MutexLock lock(mutex_);
  std::vector<WorkerState> all;
  for (const auto& [slot, worker] : workers_)
    all.push_back(worker);
  return all;
}

std::optional<JobDescription> StateBoard::description(std::string_view job) const {
  MutexLock lock(mutex_);
  const auto found = descriptions_.find(job);
  if (found == descriptions_.end()) return std::nullopt;
  return found->second;
}

std::vector<JobDescription> StateBoard::descriptions() const {
  MutexLock lock(mutex_);
  std::vector<JobDescription> all;
  for (const auto& [job, description] : descriptions_)
    all.push_back(description);
  return all;
}

void StateBoard::SetJobsHealth(Status health) {
  MutexLock lock(mutex_);
  jobs_health_ = std::move(health);
}

Status StateBoard::jobs_health() const {
  MutexLock lock(mutex_);
  return jobs_health_;
}

}  // namespace slipstream::gateway::api
