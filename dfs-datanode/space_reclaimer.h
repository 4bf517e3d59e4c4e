#pragma once

#include <chrono>
#include <stop_token>

#include "dfs-datanode/replica_store.h"

namespace slipstream::datanode {

// SpaceReclaimer: removes parked replicas whose time is over and rewrites packs that are mostly
// dead. Ownership: borrows the store, which must outlive it. Threads: one at a time.
class SpaceReclaimer final {
 public:
  explicit SpaceReclaimer(ReplicaStore& store) : store_(store) {}

  // Does what there is to do. Returns how long to wait before the next call.
  std::chrono::milliseconds Step(const std::stop_token& stop = {});

 private:
  ReplicaStore& store_;
};

}  // namespace slipstream::datanode
