#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// OrphanQueue: which inodes wait to be reaped, so that nobody has to look for them in their table,
// where those reaped before still lie about as deletions. Bounded: what is too much is left to
// the table, which is then to be read from its beginning once the queue is empty; so it is after a
// start.
// Threads: none; under the master's lock.
class OrphanQueue final {
 public:
  static constexpr size_t kQueuedMax = 100'000;

  // They were cut off just now.
  void Add(std::span<const InodeId> orphans);
  // The next ones, at most `limit`.
  std::vector<InodeId> Take(size_t limit);

  // Whether the table may hold orphans that are not queued. Who asks reads it then, before he asks
  // for anything else, and says if he did not see its end.
  bool TakeRescan();
  void RescanAgain() { needs_rescan_ = true; }

 private:
  std::deque<InodeId> queued_;
  bool needs_rescan_ = true;
};

}  // namespace slipstream::dfs::master
