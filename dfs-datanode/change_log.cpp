#include "dfs-datanode/change_log.h"

#include <algorithm>

namespace slipstream::datanode {

void ChangeLog::Add(ReplicaChange::Kind kind, const block::Identity& identity) {
  ++last_sequence_;
  if (pending_.size() == kPendingMax) {
    // One dropped change makes a full report necessary, and that covers all the others.
    pending_.clear();
    dropped_up_to_ = last_sequence_ - 1;
  }
  pending_.push_back({.sequence = last_sequence_, .kind = kind, .identity = identity});
}

std::vector<ReplicaChange> ChangeLog::Pending(size_t count_max) const {
  const size_t count = std::min(count_max, pending_.size());
  return {pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count)};
}

void ChangeLog::Acknowledge(uint64_t sequence) {
  while (!pending_.empty() && pending_.front().sequence <= sequence)
    pending_.pop_front();
  if (sequence >= dropped_up_to_) dropped_up_to_ = 0;
}

}  // namespace slipstream::datanode
