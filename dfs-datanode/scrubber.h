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
// A pass goes through the replicas by id and goes on where it was after a restart; the next begins
// pass_interval after the last began. A new replica does not wait for a pass to come by: it is read
// for the first time first_read_delay after it was written, when the disk rather than the system's
// cache answers. Both take turns, and together read bytes_per_second on average. More new ones than
// kNewMax, and those of before a restart, are left to a pass that begins at once.
// A replica that cannot be read is read again every retry_interval, until the store knows whether
// it is good or bad.
// Ownership  borrows all it is given; they must outlive it.
// Threads    Suspect() and Added() are thread-safe; the rest from one thread at a time.
class Scrubber final {
 public:
  struct Options {
    uint64_t bytes_per_second = 8 << 20;
    std::chrono::milliseconds pass_interval{std::chrono::hours(24)};
    std::chrono::milliseconds first_read_delay{std::chrono::hours(1)};
    std::chrono::milliseconds retry_interval{10'000};
  };
  static constexpr size_t kSuspectsMax = 10'000;
  static constexpr size_t kNewMax = 100'000;

  Scrubber(const Options& options, ReplicaStore& store, DiskSet& disks, const Clock& clock);

  // Called when Step() has to come sooner than it said. Set it before any other thread uses the
  // scrubber.
  void SetSuspectListener(std::function<void()> listener) { listener_ = std::move(listener); }

  // Verifies the replica soon, before all that nobody doubts. Dropped when kSuspectsMax wait.
  void Suspect(block::BlockId block_id);

  // A replica was written just now.
  void Added(block::BlockId block_id);

  // Verifies at most one replica. Returns how long to wait before the next call.
  std::chrono::milliseconds Step();

  // Makes a restart go on where it is now; done now and then by itself.
  void SaveCursor();

 private:
  std::optional<block::BlockId> TakeSuspect();
  // The next new one whose time has come.
  std::optional<block::Identity> TakeNew(SteadyTime now);
  // The next one of the pass; ends the pass where there is none.
  std::optional<block::Identity> TakeOfPass(SteadyTime now);
  void Verify(block::BlockId block_id);
  std::chrono::milliseconds WaitFrom(SteadyTime now);

  const Options options_;
  ReplicaStore& store_;
  DiskSet& disks_;
  const Clock& clock_;
  std::function<void()> listener_;

  block::BlockId cursor_;
  SteadyTime pass_began_;
  SteadyTime cursor_saved_;
  SteadyTime next_pass_;  // or, while one goes on, its beginning
  SteadyTime next_read_;  // by the rate
  bool was_new_ = false;  // what was read last
  std::deque<std::pair<SteadyTime, block::BlockId>> retries_;  // → due, the next one first

  Mutex mutex_;
  std::deque<block::BlockId> suspects_ GUARDED_BY(mutex_);
  std::deque<std::pair<SteadyTime, block::BlockId>> new_ GUARDED_BY(mutex_);  // → due
  bool has_missed_new_ GUARDED_BY(mutex_) = false;
};

}  // namespace slipstream::datanode
