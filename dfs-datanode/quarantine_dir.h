#pragma once

#include <cstdint>
#include <string>

#include "common/block/block.h"
#include "common/clock/clock.h"
#include "common/fs/file_system.h"
#include "common/status/status.h"

namespace slipstream::datanode {

// QuarantineDir: where replicas found bad go on one disk, for people to look at; no program reads
// them. It takes a bounded part of the disk: the oldest make room.
//
// Layout      <root>/quarantine/<milliseconds since 1970>-<id>.<zst, meta or packed>
// Ownership   owns the files there; borrows file system and clock.
// Threads     NewPath() is thread-safe; Trim() from one thread at a time.
class QuarantineDir final {
 public:
  static constexpr uint64_t kBytesMax = UINT64_C(1) << 30;

  QuarantineDir(const std::string& root, FileSystem& fs, const Clock& clock)
      : directory_(root + "/quarantine"), fs_(fs), clock_(clock) {}

  // Makes it if need be; what a process that died, or a disk that failed, left half done there
  // goes.
  Status Open();

  // For the files of one replica, which add their suffixes.
  std::string NewPath(block::BlockId block_id) const;

  // Removes the oldest until the others have at most `bytes_max`.
  Status Trim(uint64_t bytes_max = kBytesMax);

 private:
  const std::string directory_;
  FileSystem& fs_;
  const Clock& clock_;
};

}  // namespace slipstream::datanode
