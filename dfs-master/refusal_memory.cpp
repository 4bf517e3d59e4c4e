#include "dfs-master/refusal_memory.h"

namespace slipstream::dfs::master {

std::optional<Status> RefusalMemory::Find(std::string_view request_id) const {
  if (request_id.empty()) return std::nullopt;
  auto it = refusals_.find(request_id);
  if (it == refusals_.end()) return std::nullopt;
  return it->second;
}

void RefusalMemory::Remember(std::string_view request_id, const Status& refusal) {
  if (request_id.empty() || refusal.code() == Code::kUnavailable) return;
  if (!refusals_.emplace(request_id, refusal).second) return;
  oldest_first_.emplace_back(request_id);
  if (oldest_first_.size() <= kRefusalsMax) return;
  refusals_.erase(oldest_first_.front());
  oldest_first_.pop_front();
}

}  // namespace slipstream::dfs::master
