#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/block/block.h"
#include "common/clock/clock.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-datanode/change_log.h"
#include "dfs-datanode/disk_set.h"
#include "dfs-datanode/replica_reader.h"

namespace slipstream::datanode {

class ReplicaWriter;

// ReplicaStore: all replicas of one datanode, wherever on its disks they lie.
//
// A replica is live (counted, reported, read), or parked (its deletion was ordered: no longer
// reported, still read, removed after park_time; a restart before that makes it live again), or
// found bad (in quarantine/: neither read nor reported, the master is told). When a disk goes out
// of service all its replicas are gone, and the master is told.
//
// Ownership   owns the disks and the stores on them; borrows their file systems, and the clock.
// Threads     thread-safe. mutex_ guards the index only and is never held while the disk works; a
//             block that is being written, removed or quarantined is in busy_.
// Durability  what is in the index is on the disk.
// Errors      kNotFound, kAlreadyExists, kDataLoss (a bad replica), kResourceExhausted (no disk has
//             room), kUnavailable (EIO).
class ReplicaStore final {
 public:
  struct Options {
    DiskSet::Options disks;
    // Blocks with fewer stored bytes go into packs.
    uint64_t packed_stored_bytes_max = 1 << 20;
    std::chrono::milliseconds park_time{600'000};
    // A replica that cannot be read may be good on a disk that is away for a moment. It is bad
    // if it still cannot be read so long after it could not for the first time.
    std::chrono::milliseconds unreadable_max{30'000};
  };

  // Takes and scans the disks; a few milliseconds for a thousand blocks. Errors: DiskSet::Open's.
  static Result<std::unique_ptr<ReplicaStore>> Open(const Options& options, const Clock& clock);

  DiskSet& disks() { return *disks_; }

  // Called, from whatever thread it happens in, after changes were added for the master. Set it
  // before any other thread uses the store; it must not block.
  void SetChangeListener(std::function<void()> listener) { listener_ = std::move(listener); }

  // Called, in the same way, with each replica that was written.
  void SetAddedListener(std::function<void(block::BlockId)> listener) {
    added_listener_ = std::move(listener);
  }

  // For a stream of blocks that become durable together.
  std::unique_ptr<ReplicaWriter> NewWriter();

  Result<ReplicaReader> Read(block::BlockId block_id) const;

  // Reads all of a replica. If it is bad, quarantines it, tells the master, and returns
  // kDataLoss. kUnavailable: it cannot be read now, which says nothing yet; ask again a little
  // later.
  Status Verify(block::BlockId block_id);

  // Parks a replica. kNotFound if there is none, or if it is parked already. The master is told
  // in any case that it is gone: a master that orders the deletion of what is not here counts it
  // still (a replica in quarantine, say), and would do so for good.
  Status Delete(block::BlockId block_id);

  // Removes the replicas that were parked long enough. Returns how many.
  size_t Reap();

  // Takes back the space of a pack that is mostly dead. Returns false if there is none.
  Result<bool> Compact();

  // Looks after the disks' health and the size of their quarantines. Returns
  // DiskSet::CheckEnough().
  Status CheckDisks();

  // The live replica with the smallest id above `block_id`.
  std::optional<block::Identity> NextAfter(block::BlockId block_id) const;

  // The highest id of any replica that ever was here, also before a restart.
  block::BlockId highest_block_id() const;

  struct Snapshot {
    uint64_t sequence = 0;  // of the last change it includes
    std::vector<block::Identity> replicas;
  };
  Snapshot List() const;

  std::vector<ReplicaChange> PendingChanges(size_t count_max) const;
  bool HasPendingChanges() const;
  bool NeedsFullReport() const;  // because changes were dropped
  void AcknowledgeChanges(uint64_t sequence);

  struct DiskUsage {
    std::string path;
    uint64_t capacity_bytes = 0;
    uint64_t used_bytes = 0;
    uint64_t free_bytes = 0;
    std::string failure;  // why it is out of service; empty: it is not
  };
  struct Usage {
    uint64_t capacity_bytes = 0;
    uint64_t used_bytes = 0;  // by replicas
    uint64_t free_bytes = 0;  // for replicas: without the reserve and what is being written
    uint64_t replica_count = 0;
    uint64_t parked_count = 0;
    std::vector<DiskUsage> disks;
  };
  Result<Usage> GetUsage();

 private:
  friend class ReplicaWriter;
  enum class Home : uint8_t { kFile, kPack };
  struct Replica {
    block::Identity identity;
    uint16_t disk_index = 0;
    Home home = Home::kFile;
    std::optional<SteadyTime> parked_at;
  };

  ReplicaStore(Options options, std::unique_ptr<DiskSet> disks, const Clock& clock);

  void ScanDisks();
  void AddContent(uint16_t disk_index, const Disk::Content& content);
  Status StartNumbers();

  // Keeps the id for a writer; kAlreadyExists.
  Status Reserve(const block::Identity& identity);
  void Release(const std::set<block::BlockId>& block_ids);
  // They are durable: from now on they are live. kUnavailable if one of their disks is not in
  // service any more; then none is.
  Status Publish(const std::vector<Replica>& replicas);
  // Takes a replica out of the index for good if it is as it was; its id stays busy until the
  // disk is done with it.
  bool TakeOut(const Replica& replica);
  // What a verification found: kUnavailable becomes kDataLoss in time.
  Status Judge(block::BlockId block_id, const Status& found);
  Status VerifyOnDisk(const Replica& replica);
  Status RemoveFromDisk(const Replica& replica);
  Status QuarantineOnDisk(const Replica& replica);
  // Before a replica goes from the disk: a restart must know that its id was here.
  Status RememberHighest(block::BlockId removed);
  // Forgets all replicas of a disk.
  void Retire(size_t disk_index);
  void AddToIndex(const Replica& replica) REQUIRES(mutex_);
  void NotifyListener() const;

  const Options options_;
  const Clock& clock_;
  const std::unique_ptr<DiskSet> disks_;
  std::function<void()> listener_;
  std::function<void(block::BlockId)> added_listener_;
  std::atomic<bool> has_new_quarantined_{true};

  mutable Mutex mutex_;
  std::map<block::BlockId, Replica> replicas_ GUARDED_BY(mutex_);
  std::set<block::BlockId> busy_ GUARDED_BY(mutex_);
  std::map<block::BlockId, SteadyTime> unreadable_since_ GUARDED_BY(mutex_);
  std::vector<uint64_t> used_bytes_ GUARDED_BY(mutex_);  // of each disk
  std::vector<bool> is_retired_ GUARDED_BY(mutex_);      // each disk: its replicas are forgotten
  block::BlockId highest_block_id_ GUARDED_BY(mutex_) = 0;
  block::BlockId highest_saved_ GUARDED_BY(mutex_) = 0;
  uint64_t parked_count_ GUARDED_BY(mutex_) = 0;
  ChangeLog changes_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::datanode
