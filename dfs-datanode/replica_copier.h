#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>

#include "common/block/block.h"
#include "common/clock/clock.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-datanode/block_token_checker.h"
#include "dfs-datanode/peers.h"
#include "dfs-datanode/replica_store.h"

namespace slipstream::datanode {

// ReplicaCopier: sends replicas to other datanodes as the master orders. A copy that fails is only
// logged: the master sees that the target does not report it, and orders another. So one that
// waited for longer than kOrderLife, behind a copy to a node that does not answer, is dropped: the
// master has thought of something else since, and would only have to delete what came of it.
// Ownership  borrows store, peers, tokens and clock, which must outlive it.
// Threads    thread-safe; as many copies run at the same time as threads are in Step().
class ReplicaCopier final {
 public:
  static constexpr size_t kQueueMax = 1'000;

  // As the master waits for what it ordered.
  static constexpr std::chrono::seconds kOrderLife{60};

  ReplicaCopier(ReplicaStore& store,
                Peers& peers,
                const BlockTokenChecker& tokens,
                const Clock& clock)
      : store_(store), peers_(peers), tokens_(tokens), clock_(clock) {}

  // Called after an order was added. Set it before any thread uses the copier.
  void SetOrderListener(std::function<void()> listener) { listener_ = std::move(listener); }

  // Dropped if that block waits already, or if kQueueMax wait.
  void Enqueue(const block::Identity& identity, const NodeAddress& target);

  // Carries out one order. Returns how long to wait before the next call.
  std::chrono::milliseconds Step(const std::stop_token& stop = {});

  // Sends one replica now. kDataLoss if ours is bad (and by now known to be), kNotFound.
  Status Copy(const block::Identity& identity,
              const NodeAddress& target,
              const std::stop_token& stop = {});

 private:
  struct Order {
    block::Identity identity;
    NodeAddress target;
    SteadyTime at;
  };
  // The next that is not too old.
  std::optional<Order> TakeOrder();

  ReplicaStore& store_;
  Peers& peers_;
  const BlockTokenChecker& tokens_;
  const Clock& clock_;
  std::function<void()> listener_;
  Mutex mutex_;
  std::deque<Order> queue_ GUARDED_BY(mutex_);
  std::set<block::BlockId> queued_ GUARDED_BY(mutex_);  // and those under way
};

}  // namespace slipstream::datanode
