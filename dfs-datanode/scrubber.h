#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include "common/block/block.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "dfs-datanode/disk_set.h"
#include "dfs-datanode/replica_store.h"

namespace slipstream::datanode {

// Scrubber: reads every replica now and then, so that one that has gone bad is found while another
// is good; and at once those that somebody doubts. The store does what is to be done with bad ones.
//
// A pass goes through the replicas by id, at bytes_per_second on average, and goes on where it was
// after a restart; the next begins pass_interval after the last began. A replica that cannot be
// read is read again every retry_interval, until the store knows whether it is good or bad.
// Ownership  borrows all it is given; they must outlive it.
// Threads    Suspect() is thread-safe; the rest from one thread at a time.
class Scrubber final {
 public:
  struct Options {
    uint64_t bytes_per_second = 8 << 20;
    std::chrono::milliseconds pass_interval{std::chrono::hours(24)};
    std::chrono::milliseconds retry_interval{10'000};
  };
  static constexpr size_t kSuspectsMax = 10'000;

  Scrubber(const Options& options, ReplicaStore& store, DiskSet& disks, const Clock& clock);

  // Called after a replica was suspected. Set it before any other thread uses the scrubber.
  void SetSuspectListener(std::function<void()> listener) { listener_ = std::move(listener); }

  // Verifies the replica soon, before all that nobody doubts. Dropped when kSuspectsMax wait.
  void Suspect(block::BlockId block_id);

  // Verifies at most one replica. Returns how long to wait before the next call.
  std::chrono::milliseconds Step();

  // Makes a restart go on where it is now; done now and then by itself.
  void SaveCursor();

 private:
  std::optional<block::BlockId> TakeSuspect();
  void Verify(block::BlockId block_id);
  std::chrono::milliseconds WaitFrom(SteadyTime now) const;

  const Options options_;
  ReplicaStore& store_;
  DiskSet& disks_;
  const Clock& clock_;
  std::function<void()> listener_;

  block::BlockId cursor_;
  SteadyTime pass_began_;
  SteadyTime cursor_saved_;
  SteadyTime next_scrub_;
  std::deque<std::pair<SteadyTime, block::BlockId>> retries_;  // → due, the next one first

  Mutex mutex_;
  std::deque<block::BlockId> suspects_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::datanode
