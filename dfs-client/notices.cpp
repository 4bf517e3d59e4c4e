#include "dfs-client/notices.h"

#include "common/log/log.h"

namespace slipstream::dfs {

void Notices::Say(const std::string& text) {
  const SteadyTime now = clock_.Now();
  {
    MutexLock lock(mutex_);
    if (said_at_.has_value() && now - *said_at_ < kInterval) return;
    said_at_ = now;
  }
  if (sink_) {
    sink_(text);
  } else {
    log::Get("dfs_client")->warn("dfs_degraded why={}", log::Quoted(text));
  }
}

}  // namespace slipstream::dfs
