#include "dfs-datanode/disk_health.h"

#include <fmt/format.h>

namespace slipstream::datanode {

void DiskHealth::NoteError(const std::string& path, const Status& error, SteadyTime now) {
  is_suspect_ = true;
  failed_files_[path] = now;
  std::erase_if(failed_files_,
                [&](const auto& file) { return now - file.second >= options_.window; });
  if (failed_files_.size() >= options_.failed_files_max && failure_.empty()) {
    failure_ =
        fmt::format("{} files failed, the last with {}", failed_files_.size(), error.ToString());
  }
}

void DiskHealth::NoteProbe(const Status& status, SteadyTime now) {
  if (status.ok()) {
    failed_probes_ = 0;
    is_suspect_ = false;
    next_probe_ = now + options_.probe_interval;
    return;
  }
  is_suspect_ = true;
  if (++failed_probes_ >= options_.failed_probes_max && failure_.empty()) {
    failure_ = status.ToString();
  }
}

}  // namespace slipstream::datanode
