#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/block/block.h"
#include "common/status/status.h"

namespace slipstream::datanode {

// FrameVerifier: checks a block's stored bytes against its frames' CRC32C while they pass by, in
// pieces of any size. It copies nothing.
// Ownership  borrows the meta, which must outlive it.
class FrameVerifier final {
 public:
  explicit FrameVerifier(const block::BlockMeta& meta) : meta_(&meta) {}

  // The next bytes of the block. kDataLoss if a frame that ends within `piece` is not what its
  // checksum says, or if there are more bytes than the block has.
  Status Feed(std::string_view piece);

  // Whether all of the block was seen, and was right.
  bool is_complete() const { return frame_index_ == meta_->frames.size(); }

 private:
  const block::BlockMeta* meta_;
  size_t frame_index_ = 0;
  uint32_t frame_bytes_ = 0;  // of the current frame, seen so far
  uint32_t crc32c_ = 0;       // of those
};

}  // namespace slipstream::datanode
