#include "dfs-datanode/replica_store.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/block/block_file.h"
#include "common/log/log.h"
#include "dfs-datanode/replica_writer.h"

namespace slipstream::datanode {

using block::BlockId;
using block::Identity;

namespace {

constexpr char kLogName[] = "datanode.replicas";
constexpr char kSequenceName[] = "change_sequence";
constexpr char kHighestName[] = "highest_block_id";

// A million a second would take twelve days.
constexpr uint64_t kChangesPerProcessMax = uint64_t{1} << 40;

}  // namespace

ReplicaStore::ReplicaStore(Options options, std::unique_ptr<DiskSet> disks, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      disks_(std::move(disks)),
      used_bytes_(disks_->size()),
      is_retired_(disks_->size()),
      changes_(0) {}

Result<std::unique_ptr<ReplicaStore>> ReplicaStore::Open(const Options& options,
                                                         const Clock& clock) {
  ASSIGN_OR_RETURN(std::unique_ptr<DiskSet> disks, DiskSet::Open(options.disks, clock));
  std::unique_ptr<ReplicaStore> store(new ReplicaStore(options, std::move(disks), clock));
  store->ScanDisks();
  RETURN_IF_ERROR(store->disks_->CheckEnough());
  RETURN_IF_ERROR(store->StartNumbers());
  return store;
}

void ReplicaStore::ScanDisks() {
  for (size_t i = 0; i < disks_->size(); ++i) {
    Disk& disk = disks_->disk(i);
    if (disk.is_in_service()) {
      Result<Disk::Content> content = disk.OpenStores();
      if (content.ok()) {
        AddContent(static_cast<uint16_t>(i), *content);
      } else {
        disk.GiveUp(content.status().ToString());
      }
    }
    MutexLock lock(mutex_);
    is_retired_[i] = !disk.is_in_service();
  }
}

void ReplicaStore::AddContent(uint16_t disk_index, const Disk::Content& content) {
  auto add = [&](const Identity& identity, Home home) {
    const Replica replica{.identity = identity, .disk_index = disk_index, .home = home};
    MutexLock lock(mutex_);
    auto found = replicas_.find(identity.block_id);
    if (found == replicas_.end()) {
      AddToIndex(replica);
      return false;
    }
    return found->second.disk_index != disk_index;
  };
  // A disk that was away may come back with blocks that were copied to another meanwhile. They
  // are not deleted: who knows which is the better one.
  auto set_aside = [&](const Identity& identity, Home home) {
    const Status status =
        QuarantineOnDisk({.identity = identity, .disk_index = disk_index, .home = home});
    log::Get(kLogName)->warn("second_replica_set_aside id={} disk={} status={}",
                             identity.block_id,
                             disks_->disk(disk_index).path(),
                             log::Quoted(status.ToString()));
  };
  for (const Identity& identity : content.in_files) {
    if (add(identity, Home::kFile)) set_aside(identity, Home::kFile);
  }
  for (const Identity& identity : content.in_packs) {
    if (add(identity, Home::kPack)) set_aside(identity, Home::kPack);
  }
}

// What must go up from one process of this node to the next, whatever the clock does.
Status ReplicaStore::StartNumbers() {
  const uint64_t now_us = static_cast<uint64_t>(clock_.WallNow().time_since_epoch().count()) * 1000;
  const uint64_t before = disks_->LoadNumber(kSequenceName);
  const uint64_t sequence = std::max(now_us, before == 0 ? 0 : before + kChangesPerProcessMax);
  RETURN_IF_ERROR(disks_->SaveNumber(kSequenceName, sequence));
  const BlockId highest = disks_->LoadNumber(kHighestName);
  MutexLock lock(mutex_);
  changes_ = ChangeLog(sequence);
  highest_saved_ = highest;
  highest_block_id_ = std::max(highest_block_id_, highest);
  return {};
}

std::unique_ptr<ReplicaWriter> ReplicaStore::NewWriter() {
  return std::make_unique<ReplicaWriter>(*this);
}

// ---- The index ----

void ReplicaStore::AddToIndex(const Replica& replica) {
  replicas_[replica.identity.block_id] = replica;
  used_bytes_[replica.disk_index] += replica.identity.stored_bytes;
  highest_block_id_ = std::max(highest_block_id_, replica.identity.block_id);
}

bool ReplicaStore::TakeOut(const Replica& replica) {
  MutexLock lock(mutex_);
  auto found = replicas_.find(replica.identity.block_id);
  if (found == replicas_.end() || busy_.contains(replica.identity.block_id) ||
      found->second.parked_at != replica.parked_at) {
    return false;
  }
  busy_.insert(replica.identity.block_id);
  used_bytes_[replica.disk_index] -= found->second.identity.stored_bytes;
  if (found->second.parked_at.has_value()) --parked_count_;
  replicas_.erase(found);
  unreadable_since_.erase(replica.identity.block_id);
  return true;
}

Status ReplicaStore::VerifyOnDisk(const Replica& replica) {
  Disk& disk = disks_->disk(replica.disk_index);
  return replica.home == Home::kFile ? disk.blocks().Verify(replica.identity)
                                     : disk.packs().Verify(replica.identity);
}

Status ReplicaStore::RemoveFromDisk(const Replica& replica) {
  Disk& disk = disks_->disk(replica.disk_index);
  const BlockId block_id = replica.identity.block_id;
  return replica.home == Home::kFile ? disk.blocks().Remove(block_id)
                                     : disk.packs().Remove(block_id);
}

Status ReplicaStore::QuarantineOnDisk(const Replica& replica) {
  Disk& disk = disks_->disk(replica.disk_index);
  const BlockId block_id = replica.identity.block_id;
  has_new_quarantined_ = true;
  return replica.home == Home::kFile
             ? disk.blocks().Quarantine(block_id)
             : disk.packs().Quarantine(block_id, disk.quarantine().NewPath(block_id) + ".packed");
}

BlockId ReplicaStore::highest_block_id() const {
  MutexLock lock(mutex_);
  return highest_block_id_;
}

Status ReplicaStore::RememberHighest(BlockId removed) {
  BlockId highest = 0;
  {
    MutexLock lock(mutex_);
    if (removed <= highest_saved_) return {};
    highest = highest_block_id_;
  }
  RETURN_IF_ERROR(disks_->SaveNumber(kHighestName, highest));
  MutexLock lock(mutex_);
  highest_saved_ = std::max(highest_saved_, highest);
  return {};
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
  if (!status.ok()) Release({identity.block_id});
  return status;
}

void ReplicaStore::Release(const std::set<BlockId>& block_ids) {
  MutexLock lock(mutex_);
  for (BlockId block_id : block_ids)
    busy_.erase(block_id);
}

Status ReplicaStore::Publish(const std::vector<Replica>& replicas) {
  {
    MutexLock lock(mutex_);
    for (const Replica& replica : replicas) {
      if (!is_retired_[replica.disk_index]) continue;
      return Unavailable("disk " + disks_->disk(replica.disk_index).path() + " is out of service");
    }
    for (const Replica& replica : replicas) {
      busy_.erase(replica.identity.block_id);
      AddToIndex(replica);
      changes_.Add(ReplicaChange::Kind::kAdded, replica.identity);
    }
  }
  NotifyListener();
  if (!added_listener_) return {};
  for (const Replica& replica : replicas)
    added_listener_(replica.identity.block_id);
  return {};
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
  Disk& disk = disks_->disk(replica.disk_index);
  Result<ReplicaReader> reader =
      replica.home == Home::kFile ? disk.blocks().Read(block_id) : disk.packs().Read(block_id);
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
  Status status = Judge(block_id, VerifyOnDisk(replica));
  // Only what says something of the bytes: not a lack of file descriptors, say.
  const bool is_bad = status.code() == Code::kDataLoss || status.code() == Code::kNotFound;
  if (!is_bad) return status;
  RETURN_IF_ERROR(RememberHighest(block_id));
  if (!TakeOut(replica)) return NotFound(fmt::format("block id={}", block_id));

  const Status moved = QuarantineOnDisk(replica);
  log::Get(kLogName)->error("replica_found_bad id={} reason={} quarantine={}",
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
    if (Status status = RememberHighest(replica.identity.block_id); !status.ok()) {
      log::Get(kLogName)->warn("highest_id_not_saved error={}", log::Quoted(status.ToString()));
      break;
    }
    if (!TakeOut(replica)) continue;
    if (Status status = RemoveFromDisk(replica); !status.ok()) {
      // It comes back with the next start, and its deletion is ordered again.
      log::Get(kLogName)->warn("replica_removal_failed id={} error={}",
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

Result<ReplicaStore::Usage> ReplicaStore::GetUsage() {
  Usage usage;
  std::set<uint64_t> devices;
  for (size_t i = 0; i < disks_->size(); ++i) {
    Disk& disk = disks_->disk(i);
    DiskUsage& of_disk = usage.disks.emplace_back();
    of_disk.path = disk.path();
    of_disk.failure = disk.failure();
    if (!disk.is_in_service()) continue;
    const Result<Disk::Space> space = disk.GetSpace();
    // It is looked after soon.
    if (!space.ok()) continue;
    of_disk.capacity_bytes = space->capacity_bytes;
    of_disk.free_bytes = space->free_bytes;
    // What two directories share counts once.
    if (space->device != 0 && !devices.insert(space->device).second) continue;
    usage.capacity_bytes += space->capacity_bytes;
    usage.free_bytes += space->free_bytes;
  }
  MutexLock lock(mutex_);
  for (size_t i = 0; i < disks_->size(); ++i) {
    usage.disks[i].used_bytes = used_bytes_[i];
    usage.used_bytes += used_bytes_[i];
  }
  usage.replica_count = replicas_.size() - parked_count_;
  usage.parked_count = parked_count_;
  return usage;
}

// ---- The disks ----

Result<bool> ReplicaStore::Compact() {
  for (size_t i = 0; i < disks_->size(); ++i) {
    if (!disks_->disk(i).is_in_service()) continue;
    ASSIGN_OR_RETURN(const bool is_rewritten, disks_->disk(i).packs().RewriteOne());
    if (is_rewritten) return true;
  }
  return false;
}

Status ReplicaStore::CheckDisks() {
  const bool has_new = has_new_quarantined_.exchange(false);
  for (size_t i = 0; i < disks_->size(); ++i) {
    Disk& disk = disks_->disk(i);
    if (!disk.Check()) {
      Retire(i);
    } else if (has_new) {
      // Tried again with the next that goes there.
      if (Status status = disk.quarantine().Trim(); !status.ok()) {
        log::Get(kLogName)->warn("quarantine_not_trimmed error={}", log::Quoted(status.ToString()));
      }
    }
  }
  return disks_->CheckEnough();
}

void ReplicaStore::Retire(size_t disk_index) {
  BlockId highest = 0;
  size_t lost = 0;
  {
    MutexLock lock(mutex_);
    if (is_retired_[disk_index]) return;
    is_retired_[disk_index] = true;
    used_bytes_[disk_index] = 0;
    highest = highest_block_id_;
    for (auto next = replicas_.begin(); next != replicas_.end();) {
      const Replica& replica = next->second;
      if (replica.disk_index != disk_index) {
        ++next;
        continue;
      }
      if (replica.parked_at.has_value()) {
        --parked_count_;
      } else {
        changes_.Add(ReplicaChange::Kind::kRemoved, replica.identity);
        ++lost;
      }
      unreadable_since_.erase(next->first);
      next = replicas_.erase(next);
    }
  }
  log::Get(kLogName)->error(
      "replicas_lost_with_disk path={} count={}", disks_->disk(disk_index).path(), lost);
  if (Status status = RememberHighest(highest); !status.ok()) {
    log::Get(kLogName)->warn("highest_id_not_saved error={}", log::Quoted(status.ToString()));
  }
  NotifyListener();
}

}  // namespace slipstream::datanode
