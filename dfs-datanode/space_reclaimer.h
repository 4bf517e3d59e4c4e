#pragma once

#include <thread>

#include "dfs-datanode/replica_store.h"
#include "dfs-datanode/waker.h"

namespace slipstream::datanode {

// SpaceReclaimer: the thread that removes parked replicas whose time is over and rewrites packs
// that are mostly dead. Ownership: borrows the store, which must outlive it.
class SpaceReclaimer final {
 public:
  explicit SpaceReclaimer(ReplicaStore& store) : store_(store) {}

  void Start();
  // Ends the thread; idempotent. The destructor does it, too.
  void Stop();

 private:
  void Reclaim(const std::stop_token& stop);

  ReplicaStore& store_;
  Waker waker_;
  std::jthread thread_;
};

}  // namespace slipstream::datanode
