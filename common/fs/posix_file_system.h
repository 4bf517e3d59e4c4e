#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/fs/file_system.h"

namespace slipstream {

// The machine's file system (Linux).
class PosixFileSystem final : public FileSystem {
 public:
  static PosixFileSystem& Get();

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status Rename(const std::string& source, const std::string& target) override;
  Status Remove(const std::string& path) override;
  Status MakeDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> List(const std::string& path) override;
  Result<DiskSpace> Space(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
};

}  // namespace slipstream
