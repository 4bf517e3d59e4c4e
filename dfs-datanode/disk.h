#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/clock.h"
#include "common/fs/file_system.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-datanode/block_store.h"
#include "dfs-datanode/data_dir.h"
#include "dfs-datanode/disk_health.h"
#include "dfs-datanode/pack_store.h"
#include "dfs-datanode/quarantine_dir.h"
#include "dfs-datanode/watched_file_system.h"

namespace slipstream::datanode {

// A directory to keep replicas in, and the file system it is on.
struct DiskLocation {
  std::string path;
  FileSystem* fs = nullptr;  // borrowed; must outlive the disk
};

// Disk: one data directory of a datanode: its lock, its stores, its space and its health. Once out
// of service it stays so for the rest of the process.
//
// Ownership  owns all files under its path; borrows file system and clock.
// Threads    thread-safe after OpenStores().
class Disk final {
 public:
  struct Options {
    uint64_t reserve_bytes = 0;  // left free for others. 0: 1 GiB or 5 % of it, whichever is less
    uint64_t pack_bytes_max = 64 << 20;
    uint64_t salt_seed = 0;  // 0: random
    DiskHealth::Options health;
  };

  // Room kept for what is being written; given back when it goes.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept
        : disk_(std::exchange(other.disk_, nullptr)), bytes_(other.bytes_) {}
    Hold& operator=(Hold&& other) noexcept {
      std::swap(disk_, other.disk_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Hold() {
      if (disk_ != nullptr) disk_->held_bytes_ -= bytes_;
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    friend class Disk;
    Hold(Disk& disk, uint64_t bytes) : disk_(&disk), bytes_(bytes) {}
    Disk* disk_ = nullptr;  // null: nothing is held
    uint64_t bytes_ = 0;
  };

  Disk(const DiskLocation& location, const Options& options, const Clock& clock);
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // Takes the directory, made if need be. kFailedPrecondition if another process has it,
  // kDataLoss if its node id is damaged; any other error is the disk's.
  Status Take();

  // Once it is known whose disk it is: opens the stores and returns what is in them.
  struct Content {
    std::vector<block::Identity> in_files;
    std::vector<block::Identity> in_packs;
  };
  Result<Content> OpenStores();

  const std::string& path() const { return path_; }
  DataDir& directory() { return *directory_; }
  BlockStore& blocks() { return *blocks_; }
  PackStore& packs() { return *packs_; }
  QuarantineDir& quarantine() { return quarantine_; }

  // ---- Space ----

  struct Space {
    uint64_t capacity_bytes = 0;
    uint64_t free_bytes = 0;  // without the reserve and what is held
    uint64_t device = 0;      // disks with the same share their space; 0: not known
  };
  Result<Space> GetSpace();

  // Keeps room for `bytes`; kResourceExhausted.
  Result<Hold> Reserve(uint64_t bytes);

  // ---- Health ----

  // Out of service from now on, for this reason.
  void GiveUp(const std::string& reason);
  // Looks after it if it is time to; false when it is out of service.
  bool Check();
  bool is_in_service() const { return is_in_service_; }
  bool is_suspect() const;
  // Why it is out of service; empty: it is not.
  std::string failure() const;

 private:
  Status Probe();
  uint64_t ReserveBytes(const DiskSpace& space) const;

  const std::string path_;
  const Options options_;
  const Clock& clock_;
  WatchedFileSystem fs_;
  std::unique_ptr<DataDir> directory_;
  QuarantineDir quarantine_;
  std::unique_ptr<BlockStore> blocks_;
  std::unique_ptr<PackStore> packs_;

  std::atomic<uint64_t> held_bytes_{0};
  std::atomic<bool> is_in_service_{true};
  mutable Mutex mutex_;
  DiskHealth health_ GUARDED_BY(mutex_);
  std::string failure_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::datanode
