#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/block/block.h"
#include "common/fs/file_system.h"
#include "common/status/status.h"

namespace slipstream::datanode {

// ReplicaReader: one open replica. Goes on reading after the replica was deleted.
// Threads  thread-safe.
class ReplicaReader final {
 public:
  // The frames lie one after the other from `data_offset` of `file`.
  ReplicaReader(std::unique_ptr<File> file, uint64_t data_offset, block::BlockMeta meta);

  const block::BlockMeta& meta() const { return meta_; }

  // The stored bytes of a frame into `out`. kDataLoss if they are not what its CRC32C says.
  Status ReadFrame(size_t frame_index, std::string& out) const;

  // Reads every frame. kDataLoss if one is bad.
  Status VerifyFrames() const;

 private:
  std::unique_ptr<File> file_;
  block::BlockMeta meta_;
  std::vector<uint64_t> frame_offsets_;  // in the file
};

}  // namespace slipstream::datanode
