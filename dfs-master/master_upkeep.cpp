// Master's housekeeping of names.

#include <utility>

#include "common/log/log.h"
#include "dfs-master/master.h"
#include "dfs-master/master_write.h"

namespace slipstream::dfs::master {
namespace {

constexpr size_t kCountPerStep = 200'000;
constexpr size_t kExpirePerStep = 100;

}  // namespace

Status Master::ExpireStep() {
  return Write(
      "expire",
      [&](State& state, Transaction& txn, BlockChanges& changes, const Now& now) -> Status {
        const std::vector<std::string> owners = state.leases.Over(kExpirePerStep, now);
        for (const std::string& owner : owners) {
          ASSIGN_OR_RETURN(uint32_t discarded, state.appenders.Abort(txn, owner, now, changes));
          log_->warn("lease_expired owner={} lease_ms={} discarded_epochs={}",
                     log::Quoted(owner),
                     state.leases.LengthOf(owner).count(),
                     discarded);
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

}  // namespace slipstream::dfs::master
