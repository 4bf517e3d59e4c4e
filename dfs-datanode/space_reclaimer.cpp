#include "dfs-datanode/space_reclaimer.h"

#include "common/log/log.h"

namespace slipstream::datanode {
namespace {
constexpr std::chrono::milliseconds kPeriod{2'000};
}  // namespace

std::chrono::milliseconds SpaceReclaimer::Step(const std::stop_token& stop) {
  const auto logger = log::Get("datanode.reclaimer");
  // First, so that nothing below waits for a disk that is gone.
  if (Status status = store_.CheckDisks(); !status.ok()) {
    MutexLock lock(mutex_);
    health_ = status;
  }
  if (size_t removed = store_.Reap(); removed > 0) {
    logger->info("replicas_removed count={}", removed);
  }
  while (!stop.stop_requested()) {
    Result<bool> rewritten = store_.Compact();
    if (!rewritten.ok()) {
      logger->warn("pack_not_rewritten error={}", log::Quoted(rewritten.status().ToString()));
    }
    if (!rewritten.ok() || !*rewritten) break;
  }
  return kPeriod;
}

Status SpaceReclaimer::health() const {
  MutexLock lock(mutex_);
  return health_;
}

}  // namespace slipstream::datanode
