#include "dfs-master/orphan_queue.h"

#include <algorithm>
#include <utility>

namespace slipstream::dfs::master {

void OrphanQueue::Add(std::span<const InodeId> orphans) {
  for (InodeId orphan : orphans) {
    if (queued_.size() == kQueuedMax) {
      needs_rescan_ = true;
      return;
    }
    queued_.push_back(orphan);
  }
}

std::vector<InodeId> OrphanQueue::Take(size_t limit) {
  const auto count = static_cast<ptrdiff_t>(std::min(limit, queued_.size()));
  std::vector<InodeId> taken(queued_.begin(), queued_.begin() + count);
  queued_.erase(queued_.begin(), queued_.begin() + count);
  return taken;
}

bool OrphanQueue::TakeRescan() {
  return queued_.empty() && std::exchange(needs_rescan_, false);
}

}  // namespace slipstream::dfs::master
