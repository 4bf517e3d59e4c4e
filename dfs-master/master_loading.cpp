// How Master comes by what its store holds.

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "dfs-master/codec.h"
#include "dfs-master/master.h"

namespace slipstream::dfs::master {

Result<std::unique_ptr<Master>> Master::Open(Options options, KeyValueStore& store, Clock& clock) {
  bool is_possible = options.min_replicas >= 1 && options.replication >= options.min_replicas &&
                     options.replication <= kReplicationMax;
  if (!is_possible) {
    return InvalidArgument("wants 1 <= min replicas <= replication <= 16: min_replicas=" +
                           std::to_string(options.min_replicas) +
                           " replication=" + std::to_string(options.replication));
  }
  std::unique_ptr<Master> master(new Master(std::move(options), store, clock));
  {
    MutexLock lock(master->mutex_);
    RETURN_IF_ERROR(master->Load());
  }
  return master;
}

Status Master::Load() {
  const Now now = ReadClock();
  ASSIGN_OR_RETURN(std::optional<std::string> format, store_.Get(Table::kMeta, kMetaFormat));
  const uint64_t version = format.has_value() ? ReadBigEndian(*format) : kStoreFormatVersion;
  if (version < kStoreFormatOldest || version > kStoreFormatVersion) {
    return FailedPrecondition("the data directory has format=" + std::to_string(version) +
                              ", this program wants " + std::to_string(kStoreFormatVersion));
  }
  RETURN_IF_ERROR(state_.quotas.Load(store_));
  RETURN_IF_ERROR(state_.restore.Load(store_));
  RETURN_IF_ERROR(state_.inode_ids.Load(store_));
  RETURN_IF_ERROR(state_.incarnations.Load(store_));
  RETURN_IF_ERROR(state_.ledger.Load(store_, now));
  Transaction txn(store_);
  // From here on records may be new ones, which older programs do not know.
  if (version != kStoreFormatVersion || !format.has_value()) {
    txn.Put(Table::kMeta, kMetaFormat, BigEndian(kStoreFormatVersion));
  }
  if (!format.has_value()) RETURN_IF_ERROR(state_.tree.MakeRoot(txn, options_.root, now));
  BeginRestored(txn, now);
  RETURN_IF_ERROR(state_.quotas.RestartCounts(txn));
  if (txn.has_changes()) {
    std::vector<SubtreeCount> counts = txn.TakeCounts();
    ASSIGN_OR_RETURN(uint64_t position, store_.Apply(txn.TakeBatch()));
    RETURN_IF_ERROR(store_.Sync(position));
    for (SubtreeCount& count : counts)
      state_.counter.Add(std::move(count), store_);
  }
  RETURN_IF_ERROR(state_.nodes.Load(store_));
  RETURN_IF_ERROR(state_.leases.Load(store_, now));
  RETURN_IF_ERROR(state_.requests.Load(store_, now));
  ASSIGN_OR_RETURN(std::optional<std::string> safe_mode, store_.Get(Table::kMeta, kMetaSafeMode));
  state_.is_safe_by_hand = safe_mode.has_value();
  log_->info(
      "store_opened known_nodes={} is_new={}", state_.nodes.nodes().size(), !format.has_value());
  return BeginLoadingBlocks();
}

Status Master::BeginLoadingBlocks() {
  BlockLoader& loader = state_.loader;
  RETURN_IF_ERROR(loader.Begin(store_));
  while (loader.is_loading() && loader.loaded_blocks() < options_.load_inline_max) {
    const uint64_t left = options_.load_inline_max - loader.loaded_blocks();
    ASSIGN_OR_RETURN(BlockLoader::Batch batch,
                     loader.Read(std::min<uint64_t>(left, options_.load_step_max)));
    loader.Take(batch);
  }
  if (!loader.is_loading()) log_->info("blocks_loaded blocks={}", state_.blocks.size());
  return {};
}

Status Master::State::CheckLoaded() const {
  if (!loader.is_loading()) return {};
  return Unavailable("the master has just started and is reading its blocks: read=" +
                     std::to_string(loader.loaded_blocks()));
}

Result<bool> Master::LoadStep() {
  BlockLoader* loader = nullptr;
  {
    MutexLock lock(mutex_);
    RETURN_IF_ERROR(state_.fatal);
    if (!state_.loader.is_loading()) return false;
    loader = &state_.loader;
  }
  // Of a snapshot, so without the lock.
  Result<BlockLoader::Batch> batch = loader->Read(options_.load_step_max);
  if (!batch.ok()) return Fail(batch.status());
  MutexLock lock(mutex_);
  loader->Take(*batch);
  if (loader->is_loading()) return true;
  log_->info("blocks_loaded blocks={}", state_.blocks.size());
  return false;
}

}  // namespace slipstream::dfs::master
