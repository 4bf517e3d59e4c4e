#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/fs/file_system.h"

namespace slipstream::datanode {

// WatchedFileSystem: a file system as it is, with somebody who hears of every operation that fails
// in a way that speaks against the disk: not of a file that is missing, nor of a disk that is full.
// Ownership  borrows the file system, which must outlive it; it must outlive the files it opened.
// Threads    thread-safe; the observer is called from whatever thread it happens in.
class WatchedFileSystem final : public FileSystem {
 public:
  using Observer = std::function<void(const std::string& path, const Status& error)>;

  WatchedFileSystem(FileSystem& fs, Observer observer) : fs_(fs), observer_(std::move(observer)) {}

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status Rename(const std::string& source, const std::string& target) override;
  Status Remove(const std::string& path) override;
  Status MakeDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> List(const std::string& path) override;
  Result<DiskSpace> Space(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;

 private:
  class WatchedFile;

  // Passes a Status or a Result on.
  template <class Outcome>
  Outcome Watch(const std::string& path, Outcome outcome) const;

  FileSystem& fs_;
  const Observer observer_;
};

}  // namespace slipstream::datanode
