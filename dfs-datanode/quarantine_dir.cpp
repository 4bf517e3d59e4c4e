#include "dfs-datanode/quarantine_dir.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "common/block/block_file.h"
#include "common/log/log.h"

namespace slipstream::datanode {

Status QuarantineDir::Open() {
  RETURN_IF_ERROR(fs_.MakeDirectories(directory_));
  ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, fs_.List(directory_));
  for (const DirectoryEntry& entry : entries) {
    if (entry.is_directory || !entry.name.ends_with(".tmp")) continue;
    RETURN_IF_ERROR(fs_.Remove(directory_ + "/" + entry.name));
  }
  return {};
}

std::string QuarantineDir::NewPath(block::BlockId block_id) const {
  // As many digits for every date there will be: by name is by age.
  return fmt::format("{}/{:013}-{}",
                     directory_,
                     clock_.WallNow().time_since_epoch().count(),
                     block::BlockFileName(block_id));
}

Status QuarantineDir::Trim(uint64_t bytes_max) {
  ASSIGN_OR_RETURN(std::vector<DirectoryEntry> entries, fs_.List(directory_));
  std::sort(
      entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name > b.name; });
  uint64_t bytes = 0;
  for (const DirectoryEntry& entry : entries) {
    if (entry.is_directory) continue;
    const std::string path = directory_ + "/" + entry.name;
    ASSIGN_OR_RETURN(const std::unique_ptr<File> file, fs_.Open(path, OpenMode::kRead));
    ASSIGN_OR_RETURN(const uint64_t size, file->Size());
    bytes += size;
    if (bytes <= bytes_max) continue;
    RETURN_IF_ERROR(fs_.Remove(path));
    bytes -= size;
    log::Get("datanode.quarantine")->info("quarantined_file_removed file={}", entry.name);
  }
  return {};
}

}  // namespace slipstream::datanode
