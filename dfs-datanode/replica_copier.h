#pragma once

#include <cstddef>
#include <deque>
#include <set>
#include <thread>
#include <vector>

#include "common/block/block.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-datanode/peers.h"
#include "dfs-datanode/replica_store.h"

namespace slipstream::datanode {

// ReplicaCopier: sends replicas to other datanodes as the master orders. A copy that fails is only
// logged: the master sees that the target does not report it, and orders another.
// Ownership  borrows store and peers, which must outlive it.
// Threads    two of its own after Start(). Enqueue() is thread-safe.
class ReplicaCopier final {
 public:
  static constexpr size_t kQueueMax = 1'000;

  ReplicaCopier(ReplicaStore& store, Peers& peers) : store_(store), peers_(peers) {}
  ~ReplicaCopier();
  ReplicaCopier(const ReplicaCopier&) = delete;
  ReplicaCopier& operator=(const ReplicaCopier&) = delete;

  void Start();
  // Ends the threads, breaking off the copies under way; idempotent.
  void Stop();

  // Dropped if that block waits already, or if kQueueMax wait.
  void Enqueue(const block::Identity& identity, const Peer& target);

  // Sends one replica now. kDataLoss if ours is bad (and by now known to be), kNotFound.
  Status Copy(const block::Identity& identity, const Peer& target);

 private:
  struct Order {
    block::Identity identity;
    Peer target;
  };
  void Run();
  bool IsStopping();

  ReplicaStore& store_;
  Peers& peers_;
  Mutex mutex_;
  CondVar changed_;
  bool is_stopping_ GUARDED_BY(mutex_) = false;
  std::deque<Order> queue_ GUARDED_BY(mutex_);
  std::set<block::BlockId> queued_ GUARDED_BY(mutex_);
  std::vector<std::jthread> threads_;
};

}  // namespace slipstream::datanode
