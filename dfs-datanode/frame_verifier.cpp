#include "dfs-datanode/frame_verifier.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/crc32c/crc32c.h"

namespace slipstream::datanode {

Status FrameVerifier::Feed(std::string_view piece) {
  while (!piece.empty()) {
    if (is_complete()) {
      return DataLoss(fmt::format("block id={}: more than its {} bytes",
                                  meta_->identity.block_id,
                                  meta_->identity.stored_bytes));
    }
    const block::Frame& frame = meta_->frames[frame_index_];
    const std::string_view part =
        piece.substr(0, std::min<size_t>(piece.size(), frame.stored_bytes - frame_bytes_));
    crc32c_ = ExtendCrc32c(crc32c_, part);
    frame_bytes_ += static_cast<uint32_t>(part.size());
    piece.remove_prefix(part.size());
    if (frame_bytes_ < frame.stored_bytes) continue;
    if (crc32c_ != frame.crc32c) {
      return DataLoss(fmt::format(
          "block id={} frame={}: crc32c does not match", meta_->identity.block_id, frame_index_));
    }
    ++frame_index_;
    frame_bytes_ = 0;
    crc32c_ = 0;
  }
  return {};
}

}  // namespace slipstream::datanode
