#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/id_allocator.h"
#include "dfs-master/interval_set.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// BlockLedger: which block ids were given out, and which may never be prepared any more.
//
// Every id below the allocation mark is *live* (prepared or committed: the block map has those),
// *collected* (durably refused; its replicas are garbage), or *pending*: its writer may still
// prepare it. A pending id is collected once nothing was heard of its writer for the grace time.
// Which writer an id was given to is not durable: after a restart all ids from before it are
// pending for one grace time more.
// Threads: none; under the master's lock.
class BlockLedger final {
 public:
  struct Options {
    std::chrono::milliseconds grace{600'000};
  };
  // The live ids of a range, in order, at most `limit`.
  using LiveIds = std::function<std::vector<BlockId>(BlockIdRange, size_t limit)>;

  explicit BlockLedger(const Options& options);

  Status Load(const KeyValueStore& store, const Now& now);

  Result<BlockIdRange> Allocate(Transaction& txn,
                                std::string_view writer,
                                uint64_t count,
                                const Now& now);
  // Gives no id up to `highest` any more: somebody else may have given them. They are pending, as
  // after a restart.
  void RaiseAbove(Transaction& txn, BlockId highest, const Now& now);
  // All that is pending is so for one grace time from now.
  void RestartGrace(const Now& now);
  // Keeps what was given to the writer pending for another grace time.
  void Touch(std::string_view writer, const Now& now);

  BlockId next_id() const { return ids_.next(); }
  bool IsAllocated(BlockId id) const { return id != 0 && id < ids_.next(); }
  bool IsCollected(BlockId id) const { return collected_.Contains(id); }

  // Collects ids. To be called just before the transaction is applied: this changes the ledger
  // even if the transaction were dropped.
  void Collect(Transaction& txn, std::span<const BlockId> ids);
  // How much of that is done at once: so many allocations, and ids up to so many live ones.
  struct CollectLimits {
    size_t allocations = 10'000;
    size_t live_ids = 250'000;
  };
  // Collects pending ids whose time is over; the same holds. Returns how many ids. A later call
  // goes on where the limits ended this one.
  uint64_t CollectExpired(Transaction& txn,
                          const LiveIds& live_ids,
                          const CollectLimits& limits,
                          const Now& now);

  size_t pending_allocations() const { return pending_.size(); }

 private:
  struct Allocation {
    uint64_t count = 0;
    std::string writer;
    SteadyTime allocated_at;
  };

  void CollectInterval(Transaction& txn, IntervalSet::Interval interval);
  // The pending ids of the beginning of a range, which has at most so many live ones.
  struct Slice {
    std::vector<IntervalSet::Interval> pending;
    BlockId end = 0;
    size_t live_ids = 0;
  };
  Slice PendingOf(BlockIdRange range, const LiveIds& live_ids, size_t live_ids_max) const;
  using Pending = std::map<BlockId, Allocation>;
  // Takes away the allocation's ids below `end`; returns what is left of it, or the next.
  Pending::iterator Shrink(Pending::iterator allocation, BlockId end);
  void ForgetQuietWriters(const Now& now);

  const Options options_;
  IdAllocator ids_;
  IntervalSet collected_;
  Pending pending_;  // by first id, which is by age
  std::unordered_map<std::string, SteadyTime> writer_seen_at_;
};

}  // namespace slipstream::dfs::master
