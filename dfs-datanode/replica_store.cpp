#include "dfs-datanode/replica_store.h"

#include <utility>

#include <fmt/format.h>

#include "common/block/block_file.h"
#include "common/log/log.h"
#include "dfs-datanode/replica_writer.h"

namespace slipstream::datanode {

using block::BlockId;
using block::Identity;

ReplicaStore::ReplicaStore(Options options, FileSystem& fs, const Clock& clock)
    : options_(std::move(options)),
      fs_(fs),
      clock_(clock),
      // A later process of this node begins higher without having to remember anything: nobody
      // changes a million replicas a second.
      changes_(static_cast<uint64_t>(clock.WallNow().time_since_epoch().count()) * 1000) {}

Result<std::unique_ptr<ReplicaStore>> ReplicaStore::Open(const Options& options,
                                                         FileSystem& fs,
                                                         const Clock& clock) {
  std::unique_ptr<ReplicaStore> store(new ReplicaStore(options, fs, clock));
  ASSIGN_OR_RETURN(store->blocks_, BlockStore::Open(options.root, fs));
  ASSIGN_OR_RETURN(
      store->packs_,
      PackStore::Open({.root = options.root, .pack_bytes_max = options.pack_bytes_max}, fs));
  ASSIGN_OR_RETURN(const std::vector<Identity> in_files, store->blocks_->Scan());
  const std::vector<Identity> in_packs = store->packs_->List();
  MutexLock lock(store->mutex_);
  for (const Identity& identity : in_files) {
    store->AddToIndex({.identity = identity, .home = Home::kFile});
  }
  for (const Identity& identity : in_packs) {
    if (store->replicas_.contains(identity.block_id)) continue;
    store->AddToIndex({.identity = identity, .home = Home::kPack});
  }
  return store;
}

std::unique_ptr<ReplicaWriter> ReplicaStore::NewWriter() {
  return std::make_unique<ReplicaWriter>(*this);
}

// ---- The index ----

void ReplicaStore::AddToIndex(const Replica& replica) {
  replicas_[replica.identity.block_id] = replica;
  used_bytes_ += replica.identity.stored_bytes;
}

bool ReplicaStore::TakeOut(const Replica& replica) {
  MutexLock lock(mutex_);
  auto found = replicas_.find(replica.identity.block_id);
  if (found == replicas_.end() || busy_.contains(replica.identity.block_id) ||
      found->second.parked_at != replica.parked_at) {
    return false;
  }
  busy_.insert(replica.identity.block_id);
  used_bytes_ -= found->second.identity.stored_bytes;
  if (found->second.parked_at.has_value()) --parked_count_;
  replicas_.erase(found);
  unreadable_since_.erase(replica.identity.block_id);
  return true;
}

Status ReplicaStore::RemoveFromDisk(const Replica& replica) {
  const BlockId block_id = replica.identity.block_id;
  return replica.home == Home::kFile ? blocks_->Remove(block_id) : packs_->Remove(block_id);
}

Status ReplicaStore::Reserve(const Identity& identity) {
  std::optional<Replica> parked;
  {
    MutexLock lock(mutex_);
    auto found = replicas_.find(identity.block_id);
    const bool exists = found != replicas_.end();
    if (busy_.contains(identity.block_id) || (exists && !found->second.parked_at.has_value())) {
      return AlreadyExists(fmt::format("block id={} is here already", identity.block_id));
    }
    if (exists) parked = found->second;
    if (!exists) busy_.insert(identity.block_id);
  }
  Status status;
  if (parked.has_value()) {
    // The master wants it here again; what was parked makes room.
    if (!TakeOut(*parked)) {
      return AlreadyExists(fmt::format("block id={} is here already", identity.block_id));
    }
    status = RemoveFromDisk(*parked);
  }
  if (status.ok()) {
    Result<DiskSpace> space = fs_.Space(options_.root);
    status = space.status();
    if (space.ok() && space->available_bytes < options_.reserve_bytes + identity.stored_bytes) {
      status = ResourceExhausted(fmt::format("disk full: available_bytes={} reserve_bytes={}",
                                             space->available_bytes,
                                             options_.reserve_bytes));
    }
  }
  if (!status.ok()) Release({identity.block_id});
  return status;
}

void ReplicaStore::Release(const std::set<BlockId>& block_ids) {
  MutexLock lock(mutex_);
  for (BlockId block_id : block_ids)
    busy_.erase(block_id);
}

void ReplicaStore::Publish(const std::vector<Replica>& replicas) {
  {
    MutexLock lock(mutex_);
    for (const Replica& replica : replicas) {
      busy_.erase(replica.identity.block_id);
      AddToIndex(replica);
      changes_.Add(ReplicaChange::Kind::kAdded, replica.identity);
    }
  }
  NotifyListener();
}

void ReplicaStore::NotifyListener() const {
  if (listener_) listener_();
}

// ---- Reading ----

Result<ReplicaReader> ReplicaStore::Read(BlockId block_id) const {
  Replica replica;
  {
    MutexLock lock(mutex_);
    auto found = replicas_.find(block_id);
    if (found == replicas_.end()) return NotFound(fmt::format("block id={}", block_id));
    replica = found->second;
  }
  Result<ReplicaReader> reader =
      replica.home == Home::kFile ? blocks_->Read(block_id) : packs_->Read(block_id);
  if (reader.status().code() == Code::kNotFound) {
    // Removed between the two steps, unless the index still has it: then somebody else removed it.
    MutexLock lock(mutex_);
    if (replicas_.contains(block_id)) return DataLoss(reader.status().message());
  }
  if (reader.ok() && reader->meta().identity != replica.identity) {
    return DataLoss(fmt::format(
        "block {} is {}", ToString(replica.identity), ToString(reader->meta().identity)));
  }
  return reader;
}

Status ReplicaStore::Judge(BlockId block_id, const Status& found) {
  MutexLock lock(mutex_);
  if (found.code() != Code::kUnavailable) {
    unreadable_since_.erase(block_id);
    return found;
  }
  const SteadyTime now = clock_.Now();
  const SteadyTime since = unreadable_since_.try_emplace(block_id, now).first->second;
  return now - since < options_.unreadable_max ? found : DataLoss(found.message());
}

Status ReplicaStore::Verify(BlockId block_id) {
  Replica replica;
  {
    MutexLock lock(mutex_);
    auto found = replicas_.find(block_id);
    if (found == replicas_.end()) return NotFound(fmt::format("block id={}", block_id));
    replica = found->second;
  }
  const Status status = Judge(block_id,
                              replica.home == Home::kFile ? blocks_->Verify(replica.identity)
                                                          : packs_->Verify(replica.identity));
  // Only what says something of the bytes: not a lack of file descriptors, say.
  const bool is_bad = status.code() == Code::kDataLoss || status.code() == Code::kNotFound;
  if (!is_bad) return status;
  if (!TakeOut(replica)) return NotFound(fmt::format("block id={}", block_id));

  const std::string saved =
      options_.root + "/quarantine/" + block::BlockFileName(block_id) + ".packed";
  const Status moved = replica.home == Home::kFile ? blocks_->Quarantine(block_id)
                                                   : packs_->Quarantine(block_id, saved);
  log::Get("datanode.replicas")
      ->error("replica_found_bad id={} reason={} quarantine={}",
              block_id,
              log::Quoted(status.message()),
              log::Quoted(moved.ToString()));
  {
    MutexLock lock(mutex_);
    busy_.erase(block_id);
    if (!replica.parked_at.has_value()) {
      changes_.Add(ReplicaChange::Kind::kCorrupt, replica.identity);
    }
  }
  NotifyListener();
  return DataLoss(status.message());
}

std::optional<Identity> ReplicaStore::NextAfter(BlockId block_id) const {
  MutexLock lock(mutex_);
  for (auto next = replicas_.upper_bound(block_id); next != replicas_.end(); ++next) {
    if (!next->second.parked_at.has_value()) return next->second.identity;
  }
  return std::nullopt;
}

// ---- Deleting ----

Status ReplicaStore::Delete(BlockId block_id) {
  Status status;
  {
    MutexLock lock(mutex_);
    auto found = replicas_.find(block_id);
    if (found == replicas_.end() || found->second.parked_at.has_value()) {
      status = NotFound(fmt::format("block id={}", block_id));
    } else {
      found->second.parked_at = clock_.Now();
      ++parked_count_;
    }
    // Whatever becomes of the id after this (a copy that is being written, say) has a later number.
    changes_.Add(ReplicaChange::Kind::kRemoved, {.block_id = block_id});
  }
  NotifyListener();
  return status;
}

size_t ReplicaStore::Reap() {
  const SteadyTime parked_before = clock_.Now() - options_.park_time;
  std::vector<Replica> due;
  {
    MutexLock lock(mutex_);
    if (parked_count_ == 0) return 0;
    for (const auto& [block_id, replica] : replicas_) {
      if (replica.parked_at.has_value() && *replica.parked_at <= parked_before) {
        due.push_back(replica);
      }
    }
  }
  size_t removed = 0;
  for (const Replica& replica : due) {
    if (!TakeOut(replica)) continue;
    if (Status status = RemoveFromDisk(replica); !status.ok()) {
      // It comes back with the next start, and its deletion is ordered again.
      log::Get("datanode.replicas")
          ->warn("replica_removal_failed id={} error={}",
                 replica.identity.block_id,
                 log::Quoted(status.ToString()));
    }
    Release({replica.identity.block_id});
    ++removed;
  }
  return removed;
}

// ---- For the master ----

ReplicaStore::Snapshot ReplicaStore::List() const {
  MutexLock lock(mutex_);
  Snapshot snapshot{.sequence = changes_.last_sequence()};
  snapshot.replicas.reserve(replicas_.size());
  for (const auto& [block_id, replica] : replicas_) {
    if (!replica.parked_at.has_value()) snapshot.replicas.push_back(replica.identity);
  }
  return snapshot;
}

std::vector<ReplicaChange> ReplicaStore::PendingChanges(size_t count_max) const {
  MutexLock lock(mutex_);
  return changes_.Pending(count_max);
}

bool ReplicaStore::HasPendingChanges() const {
  MutexLock lock(mutex_);
  return changes_.has_pending();
}

bool ReplicaStore::NeedsFullReport() const {
  MutexLock lock(mutex_);
  return changes_.has_overflowed();
}

void ReplicaStore::AcknowledgeChanges(uint64_t sequence) {
  MutexLock lock(mutex_);
  changes_.Acknowledge(sequence);
}

Result<ReplicaStore::Usage> ReplicaStore::GetUsage() const {
  ASSIGN_OR_RETURN(DiskSpace space, fs_.Space(options_.root));
  MutexLock lock(mutex_);
  return Usage{.capacity_bytes = space.capacity_bytes,
               .used_bytes = used_bytes_,
               .free_bytes = space.available_bytes > options_.reserve_bytes
                                 ? space.available_bytes - options_.reserve_bytes
                                 : 0,
               .replica_count = replicas_.size() - parked_count_,
               .parked_count = parked_count_};
}

}  // namespace slipstream::datanode
