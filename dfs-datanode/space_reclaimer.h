#pragma once

#include <chrono>
#include <stop_token>

#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-datanode/replica_store.h"

namespace slipstream::datanode {

// SpaceReclaimer: removes parked replicas whose time is over, rewrites packs that are mostly dead,
// and looks after the disks. Ownership: borrows the store, which must outlive it. Threads: Step()
// from one at a time; health() is thread-safe.
class SpaceReclaimer final {
 public:
  explicit SpaceReclaimer(ReplicaStore& store) : store_(store) {}

  // Does what there is to do. Returns how long to wait before the next call.
  std::chrono::milliseconds Step(const std::stop_token& stop = {});

  // kUnavailable when too few disks work: the node is at its end. Set for good.
  Status health() const;

 private:
  ReplicaStore& store_;
  mutable Mutex mutex_;
  Status health_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::datanode
