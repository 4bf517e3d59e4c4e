// Master's housekeeping of names.

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/log/log.h"
#include "dfs-master/master.h"
#include "dfs-master/master_write.h"

namespace slipstream::dfs::master {
namespace {

constexpr size_t kCountPerStep = 200'000;
constexpr size_t kExpirePerStep = 100;
constexpr size_t kTrashStepsPerTick = 100;
// Of names and blocks: what takes the lock for a few milliseconds. Others have their turn between
// two steps.
constexpr size_t kReapPerStep = 500;
constexpr size_t kReapStepsPerTick = 400;
constexpr std::chrono::milliseconds kReapTimePerTick{750};
constexpr size_t kOrphansPerTurn = 1'000;
constexpr std::chrono::seconds kCollectPeriod{5};
constexpr size_t kRequestsPerStep = 1'000;
constexpr size_t kRequestStepsPerTick = 40;
constexpr size_t kForgetPerStep = 5'000;
constexpr std::chrono::seconds kForgetPeriod{60};
// A writer that commits with its Prepare may ask about a lost answer for so long.
constexpr std::chrono::hours kIdleAppenderKept{24};

}  // namespace

Status Master::ExpireStep() {
  return Write(
      "expire",
      [&](State& state, Transaction& txn, BlockChanges& changes, const Now& now) -> Status {
        const std::vector<std::string> owners = state.leases.Over(kExpirePerStep, now);
        for (const std::string& owner : owners) {
          ASSIGN_OR_RETURN(AppenderTable::GivenUp given_up,
                           state.appenders.Abort(txn, owner, now, changes));
          // A writer that has closed its file leaves nothing but its lease.
          if (given_up.candidates + given_up.files == 0) continue;
          log_->warn("lease_expired owner={} lease_ms={} discarded_epochs={} closed_files={}",
                     log::Quoted(owner),
                     state.leases.LengthOf(owner).count(),
                     given_up.candidates,
                     given_up.files);
        }
        for (const std::string& owner : owners)
          state.leases.End(txn, owner);
        return {};
      });
}

Status Master::CountStep() {
  SubtreeCounter::Task* task = nullptr;
  {
    MutexLock lock(mutex_);
    task = state_.counter.Front();
  }
  if (task == nullptr) return {};
  // On the tables as they were, so without the lock.
  ASSIGN_OR_RETURN(bool is_done, task->walk->Step(kCountPerStep));
  if (!is_done) return {};
  return Write("count", [&](State& state, Transaction& txn, BlockChanges&, const Now&) -> Status {
    const SubtreeCount count = task->count;
    const Usage usage = task->walk->usage();
    RETURN_IF_ERROR(state.quotas.Counted(txn, count, usage));
    state.counter.Finish();
    for (const auto& quotas : {count.from, count.to}) {
      for (InodeId quota : quotas) {
        if (state.counter.IsCounting(quota)) continue;
        RETURN_IF_ERROR(state.quotas.EndCounting(txn, quota));
      }
    }
    log_->info("quota_counted inode={} names={} space_bytes={}",
               count.root,
               usage.names,
               usage.space_bytes);
    return {};
  });
}

Status Master::TrashStep() {
  {
    MutexLock lock(mutex_);
    if (!state_.trash.IsDue(ReadClock())) return {};
  }
  std::optional<uint64_t> position;
  for (size_t step = 0; step < kTrashStepsPerTick; ++step) {
    ASSIGN_OR_RETURN(
        bool goes_on,
        WriteAhead(
            "trash", position, [](State& state, Transaction& txn, BlockChanges&, const Now& now) {
              return state.trash.Step(txn, now);
            }));
    if (!goes_on) break;
  }
  return AwaitWritten("trash", *position);
}

Status Master::FindOrphans() {
  {
    MutexLock lock(mutex_);
    reaper_.Add(state_.orphans.Take(kOrphansPerTurn));
    if (reaper_.HasOrphans() || !state_.orphans.TakeRescan()) return {};
  }
  const Result<bool> saw_all = reaper_.AddFromTable(OrphanQueue::kQueuedMax);
  if (!saw_all.ok() || !*saw_all) {
    MutexLock lock(mutex_);
    state_.orphans.RescanAgain();
  }
  return saw_all.status();
}

Status Master::ReapStep() {
  const SteadyTime begin = clock_.Now();
  std::optional<uint64_t> position;
  for (size_t step = 0; step < kReapStepsPerTick; ++step) {
    if (clock_.Now() - begin >= kReapTimePerTick) break;
    if (!reaper_.HasOrphans()) RETURN_IF_ERROR(FindOrphans());
    ASSIGN_OR_RETURN(bool has_any, reaper_.Gather(kReapPerStep));
    if (!has_any) break;
    RETURN_IF_ERROR(
        WriteAhead("reap",
                   position,
                   [this](State& state, Transaction& txn, BlockChanges& changes, const Now&) {
                     return reaper_.TakeApart(txn, state.quotas, changes.discarded);
                   }));
  }
  return position.has_value() ? AwaitWritten("reap", *position) : Status();
}

Status Master::CollectStep() {
  return Write("collect",
               [&](State& state, Transaction& txn, BlockChanges&, const Now& now) -> Status {
                 // A block that is not read yet is not known to be live.
                 if (state.loader.is_loading() || state.restore.keeps_unknown()) return {};
                 if (now.steady - state.collected_at < kCollectPeriod) return {};
                 state.collected_at = now.steady;
                 auto live_ids = [&state](BlockIdRange range, size_t limit) {
                   return state.blocks.LiveIds(range, limit);
                 };
                 uint64_t count = state.ledger.CollectExpired(txn, live_ids, {}, now);
                 if (count > 0) log_->info("unprepared_blocks_collected count={}", count);
                 return {};
               });
}

Status Master::ForgetStep() {
  std::optional<uint64_t> position;
  for (size_t step = 0; step < kRequestStepsPerTick; ++step) {
    ASSIGN_OR_RETURN(
        size_t forgotten,
        WriteAhead(
            "forget", position, [](State& state, Transaction& txn, BlockChanges&, const Now& now) {
              return state.requests.Prune(txn, kRequestsPerStep, now);
            }));
    if (forgotten < kRequestsPerStep) break;
  }
  return Write(
      "forget", [&](State& state, Transaction& txn, BlockChanges&, const Now& now) -> Status {
        if (now.steady - state.forgot_at < kForgetPeriod) return {};
        state.forgot_at = now.steady;
        int64_t idle_since_ms =
            now.wall_ms() - std::chrono::milliseconds(kIdleAppenderKept).count();
        ASSIGN_OR_RETURN(
            state.forget_after,
            state.appenders.ForgetIdle(txn, state.forget_after, idle_since_ms, kForgetPerStep));
        return {};
      });
}

}  // namespace slipstream::dfs::master
