#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/status/status.h"

// What a block is, to everyone who writes, stores or reads one: a list of zstd frames, each with
// its own checksum. A block is written whole, once, and never changed.

namespace slipstream::block {

// Never 0; given by the master and never given again.
using BlockId = uint64_t;

// A block before compression.
inline constexpr uint64_t kBlockRawBytesMax = 64ULL << 20;
// A frame before compression. The encoder cuts frames of exactly this size but for the last.
inline constexpr uint32_t kFrameRawBytesMax = 1U << 20;
// A frame after compression: what zstd may need for a raw frame that does not compress.
inline constexpr uint32_t kFrameStoredBytesMax = kFrameRawBytesMax + 4096;
// Other writers may cut shorter frames; this bounds the tables of everyone who reads them.
inline constexpr uint32_t kFramesPerBlockMax = 1024;

// One zstd frame: it can be decompressed, and checked, alone.
struct Frame {
  uint32_t raw_bytes = 0;
  uint32_t stored_bytes = 0;
  uint32_t crc32c = 0;  // of the stored bytes

  friend bool operator==(const Frame&, const Frame&) = default;
};

// A block's name and content. A replica counts only if all four agree with what was committed.
struct Identity {
  BlockId block_id = 0;
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;  // of the frames alone, without headers and tables
  uint32_t crc32c = 0;        // of the stored frames, in order

  friend bool operator==(const Identity&, const Identity&) = default;
};

// "id=42 raw=100 stored=70 crc32c=0badcafe": for messages.
std::string ToString(const Identity& identity);

// All that is known of a block besides its bytes.
struct BlockMeta {
  Identity identity;
  std::vector<Frame> frames;

  friend bool operator==(const BlockMeta&, const BlockMeta&) = default;
};

// The identity that `frames` add up to: lengths summed, checksums combined.
Identity SumFrames(BlockId block_id, const std::vector<Frame>& frames);

// OK if the bounds above hold, the id is not 0, there is at least one frame, and the frames add up
// to the identity; else kInvalidArgument.
Status Validate(const BlockMeta& meta);

// Consecutive frames of one block; `begin` and `end` are half-open indexes.
struct FrameRange {
  size_t begin = 0;
  size_t end = 0;
  uint64_t raw_offset = 0;     // where in the raw block frame `begin` starts
  uint64_t stored_offset = 0;  // where in the concatenated stored frames it starts
};

// The frames that hold the `length` bytes from `offset` of the raw block; a `length` of 0 means to
// the end. kOutOfRange if any of it lies outside.
Result<FrameRange> FramesCovering(const BlockMeta& meta, uint64_t offset, uint64_t length);

}  // namespace slipstream::block
