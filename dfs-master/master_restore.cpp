// Master's copies: how one is made, and what a master over one waits for.

#include <algorithm>
#include <string>
#include <vector>

#include "common/log/log.h"
#include "dfs-master/master.h"
#include "dfs-master/master_write.h"

namespace slipstream::dfs::master {

Result<BackupInfo> Master::MakeBackup(const std::string& directory) {
  if (!options_.backup) return Status(Code::kUnimplemented, "this store cannot be copied");
  {
    MutexLock lock(mutex_);
    RETURN_IF_ERROR(state_.fatal);
    if (is_making_backup_) return Unavailable("another backup is being made");
    is_making_backup_ = true;
  }
  Result<BackupInfo> info = options_.backup(directory);
  {
    MutexLock lock(mutex_);
    is_making_backup_ = false;
  }
  RETURN_IF_ERROR(info.status());
  log_->info("backup_made directory={} log_position={} bytes={}",
             log::Quoted(directory),
             info->log_position,
             info->bytes);
  return info;
}

// What the lost master gave out since the copy was made stays its own.
void Master::BeginRestored(Transaction& txn, const Now& now) {
  if (state_.restore.phase() != RestorePhase::kRestored) return;
  for (IdAllocator* ids : {&state_.inode_ids, &state_.incarnations})
    ids->RaiseTo(txn, ids->next() + RestoreGate::kNumbersSkipped);
  state_.ledger.RaiseAbove(txn, state_.ledger.next_id() + RestoreGate::kNumbersSkipped, now);
  state_.restore.Begin(txn);
  log_->warn("store_was_restored backup_position={}", state_.restore.backup_position());
}

Status Master::State::CheckMayAllocate() const {
  if (!restore.is_waiting()) return {};
  constexpr size_t kNamedMax = 10;
  const std::vector<std::string> missing = RestoreGate::MissingNodes(nodes);
  std::string text = "restored from a copy, waits for datanodes: " + std::to_string(missing.size());
  for (size_t i = 0; i < std::min(missing.size(), kNamedMax); ++i)
    text += (i == 0 ? ": " : ", ") + missing[i];
  return Unavailable(text);
}

Result<RestoreStatus> Master::GetRestoreStatus() {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(state_.fatal);
  RestoreStatus status{.phase = state_.restore.phase(),
                       .backup_position = state_.restore.backup_position(),
                       .missing_node_ids = {},
                       .unknown_replicas = state_.blocks.strays().size(),
                       .writers_ahead = state_.restore.writers_ahead()};
  if (state_.restore.is_waiting())
    status.missing_node_ids = RestoreGate::MissingNodes(state_.nodes);
  return status;
}

Status Master::RestoreStep() {
  {
    MutexLock lock(mutex_);
    const bool is_over = state_.restore.is_waiting() && !state_.loader.is_loading() &&
                         RestoreGate::MissingNodes(state_.nodes).empty();
    if (!is_over) return {};
  }
  return GoOnWithoutMissingNodes();
}

Status Master::GoOnWithoutMissingNodes() {
  return Write("restore", [&](State& state, Transaction& txn, BlockChanges&, const Now&) -> Status {
    if (!state.restore.is_restored()) return FailedPrecondition("this store was never restored");
    if (!state.restore.is_waiting()) return {};
    log_->warn("restored_master_went_on missing_nodes={}",
               RestoreGate::MissingNodes(state.nodes).size());
    state.restore.GoOn(txn);
    return {};
  });
}

Status Master::ForgetUnknownReplicas() {
  return Write("restore",
               [&](State& state, Transaction& txn, BlockChanges&, const Now& now) -> Status {
                 if (!state.restore.is_restored()) {
                   return FailedPrecondition("this store was never restored");
                 }
                 RETURN_IF_ERROR(state.CheckMayAllocate());
                 if (!state.restore.keeps_unknown()) return {};
                 state.restore.Settle(txn);
                 // Whoever has not prepared what he wrote has as long as ever.
                 state.ledger.RestartGrace(now);
                 log_->warn("unknown_replicas_let_go blocks={}", state.blocks.strays().size());
                 return {};
               });
}

}  // namespace slipstream::dfs::master
