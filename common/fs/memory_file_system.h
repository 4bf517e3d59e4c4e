#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/fs/file_system.h"
#include "common/sync/mutex.h"

namespace slipstream {

// MemoryFileSystem: a disk for tests, that fails and crashes when told to.
//
// Crash() does what a power cut may do: of every file what was synced stays, of the rest any 512
// bytes (drawn from the seed) stay, are lost, or read as zeros; of the names changed since their
// directory was synced any stay. Directories themselves are durable at once.
// Threads  thread-safe.
class MemoryFileSystem final : public FileSystem {
 public:
  enum class Operation {
    kOpen,
    kRead,
    kWrite,
    kTruncate,
    kSync,
    kRename,
    kRemove,
    kMakeDirectories,
    kSyncDirectory,
    kList,
    kSpace
  };
  // Called before every operation: a status that is not OK is what the operation returns, without
  // being carried out (a failed write writes half of its data).
  using Fault = std::function<Status(Operation operation, const std::string& path)>;

  explicit MemoryFileSystem(uint64_t capacity_bytes = UINT64_C(1) << 40);

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Status Rename(const std::string& source, const std::string& target) override;
  Status Remove(const std::string& path) override;
  Status MakeDirectories(const std::string& path) override;
  Status SyncDirectory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> List(const std::string& path) override;
  Result<DiskSpace> Space(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;

  // ---- For tests ----

  void SetFault(Fault fault);
  // Writes beyond it are kResourceExhausted.
  void SetCapacity(uint64_t capacity_bytes);
  // All files must have been closed. Forgets the fault.
  void Crash(uint32_t seed);

  // Paths of all files, sorted.
  std::vector<std::string> Paths() const;
  std::string Content(const std::string& path) const;
  // Changes a file behind everybody's back, durably. It must exist.
  void SetContent(const std::string& path, std::string content);

 private:
  struct Inode;
  class MemoryFile;
  class MemoryLock;
  // A change of names that its directories have not been synced for.
  struct NameChange {
    std::string removed;  // empty: none
    std::string added;    // empty: none
    std::shared_ptr<Inode> inode;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  Status Check(Operation operation, const std::string& path) const EXCLUDES(mutex_);
  uint64_t UsedBytes() const REQUIRES(mutex_);
  static void Apply(const NameChange& change, Names& names);

  mutable Mutex mutex_;
  Fault fault_ GUARDED_BY(mutex_);
  uint64_t capacity_bytes_ GUARDED_BY(mutex_);
  std::set<std::string> directories_ GUARDED_BY(mutex_);
  Names names_ GUARDED_BY(mutex_);
  Names durable_names_ GUARDED_BY(mutex_);
  std::vector<NameChange> pending_ GUARDED_BY(mutex_);
  std::set<std::string> locks_ GUARDED_BY(mutex_);
};

}  // namespace slipstream
