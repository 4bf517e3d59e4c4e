#include "common/block/block.h"

#include <fmt/format.h>

#include "common/crc32c/crc32c.h"

namespace slipstream::block {

std::string ToString(const Identity& identity) {
  return fmt::format("id={} raw={} stored={} crc32c={:08x}",
                     identity.block_id,
                     identity.raw_bytes,
                     identity.stored_bytes,
                     identity.crc32c);
}

Identity SumFrames(BlockId block_id, const std::vector<Frame>& frames) {
  Identity sum{.block_id = block_id};
  for (const Frame& frame : frames) {
    sum.raw_bytes += frame.raw_bytes;
    sum.crc32c = sum.stored_bytes == 0
                     ? frame.crc32c
                     : CombineCrc32c(sum.crc32c, frame.crc32c, frame.stored_bytes);
    sum.stored_bytes += frame.stored_bytes;
  }
  return sum;
}

Status Validate(const BlockMeta& meta) {
  const Identity& identity = meta.identity;
  if (identity.block_id == 0) return InvalidArgument("block id is 0");
  if (meta.frames.empty() || meta.frames.size() > kFramesPerBlockMax) {
    return InvalidArgument(fmt::format("block id={} has {} frames, not 1 to {}",
                                       identity.block_id,
                                       meta.frames.size(),
                                       kFramesPerBlockMax));
  }
  for (const Frame& frame : meta.frames) {
    if (frame.raw_bytes == 0 || frame.raw_bytes > kFrameRawBytesMax || frame.stored_bytes == 0 ||
        frame.stored_bytes > kFrameStoredBytesMax) {
      return InvalidArgument(fmt::format("block id={} has a frame of raw={} stored={}",
                                         identity.block_id,
                                         frame.raw_bytes,
                                         frame.stored_bytes));
    }
  }
  Identity sum = SumFrames(identity.block_id, meta.frames);
  if (sum != identity) {
    return InvalidArgument(
        fmt::format("block {}: its frames add up to {}", ToString(identity), ToString(sum)));
  }
  if (identity.raw_bytes > kBlockRawBytesMax) {
    return InvalidArgument(
        fmt::format("block {}: longer than {} bytes", ToString(identity), kBlockRawBytesMax));
  }
  return {};
}

Result<FrameRange> FramesCovering(const BlockMeta& meta, uint64_t offset, uint64_t length) {
  const uint64_t total = meta.identity.raw_bytes;
  if (offset >= total || length > total - offset) {
    return OutOfRange(fmt::format("range offset={} length={} of block id={} raw={}",
                                  offset,
                                  length,
                                  meta.identity.block_id,
                                  total));
  }
  const uint64_t range_end = length == 0 ? total : offset + length;
  FrameRange range;
  while (range.raw_offset + meta.frames[range.begin].raw_bytes <= offset) {
    range.raw_offset += meta.frames[range.begin].raw_bytes;
    range.stored_offset += meta.frames[range.begin].stored_bytes;
    ++range.begin;
  }
  range.end = range.begin;
  for (uint64_t covered = range.raw_offset; covered < range_end; ++range.end) {
    covered += meta.frames[range.end].raw_bytes;
  }
  return range;
}

}  // namespace slipstream::block
