#include "dfs-client/suspect_nodes.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace slipstream::dfs {

void SuspectNodes::Add(const std::string& node_id, SteadyTime now) {
  MutexLock lock(mutex_);
  std::erase_if(failed_at_,
                [&](const auto& entry) { return now - entry.second >= forgiven_after_; });
  failed_at_[node_id] = now;
}

void SuspectNodes::Remove(const std::string& node_id) {
  MutexLock lock(mutex_);
  failed_at_.erase(node_id);
}

bool SuspectNodes::Contains(const std::string& node_id, SteadyTime now) const {
  MutexLock lock(mutex_);
  auto found = failed_at_.find(node_id);
  return found != failed_at_.end() && now - found->second < forgiven_after_;
}

std::vector<std::string> SuspectNodes::List(SteadyTime now) const {
  std::vector<std::pair<SteadyTime, std::string>> failed;
  {
    MutexLock lock(mutex_);
    for (const auto& [node_id, failed_at] : failed_at_) {
      if (now - failed_at < forgiven_after_) failed.emplace_back(failed_at, node_id);
    }
  }
  std::sort(failed.begin(), failed.end(), std::greater<>());
  std::vector<std::string> node_ids;
  node_ids.reserve(failed.size());
  for (auto& [failed_at, node_id] : failed)
    node_ids.push_back(std::move(node_id));
  return node_ids;
}

}  // namespace slipstream::dfs
