#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/block/block.h"
#include "common/status/status.h"

namespace slipstream::block {

// A block as it travels and as it is stored: compressed, cut into frames, checksummed, without an
// id yet. An attempt that failed is sent again as it is, under a new id.
struct EncodedBlock {
  std::vector<Frame> frames;
  std::string data;  // the stored frames, one after the other
  uint64_t raw_bytes = 0;
  uint32_t crc32c = 0;  // of data

  uint64_t stored_bytes() const { return data.size(); }
  Identity IdentityFor(BlockId block_id) const {
    return {.block_id = block_id,
            .raw_bytes = raw_bytes,
            .stored_bytes = stored_bytes(),
            .crc32c = crc32c};
  }
};

// FrameCompressor: a zstd context and its scratch space (a few MiB), for any number of encoders.
// Threads: not thread-safe; one for each thread that encodes.
class FrameCompressor final {
 public:
  // zstd's levels, 1 to 19 (3 is zstd's own default); others are brought into that range. Frames
  // carry zstd's content checksum and their raw length.
  explicit FrameCompressor(int level);
  ~FrameCompressor();
  FrameCompressor(const FrameCompressor&) = delete;
  FrameCompressor& operator=(const FrameCompressor&) = delete;

  // Appends `raw` (1 to kFrameRawBytesMax bytes) as one frame to `out` and describes it.
  Frame Compress(std::string_view raw, std::string& out);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// BlockEncoder: turns bytes into blocks. Holds the compressed frames so far and less than one frame
// of raw bytes, so that a writer can keep hundreds of blocks open.
// Ownership  borrows the compressor, which must outlive it and may be shared with other encoders.
// Threads    not thread-safe.
//   BlockEncoder encoder(compressor);
//   if (encoder.room_bytes() < row.size()) Send(encoder.Finish());
//   encoder.Append(row);
class BlockEncoder final {
 public:
  explicit BlockEncoder(FrameCompressor& compressor) : compressor_(compressor) {}

  // kOutOfRange, with nothing appended, if `raw` is longer than room_bytes().
  Status Append(std::string_view raw);

  bool empty() const { return raw_bytes() == 0; }
  uint64_t raw_bytes() const { return block_.raw_bytes + pending_.size(); }
  // How many raw bytes the block still takes.
  uint64_t room_bytes() const { return kBlockRawBytesMax - raw_bytes(); }
  // Compressed bytes so far, without those of the last, unfinished frame.
  uint64_t stored_bytes() const { return block_.stored_bytes(); }

  // The block of all that was appended since the last Finish(); the encoder is empty again.
  // Must not be called while it is empty: there are no empty blocks.
  EncodedBlock Finish();

 private:
  void AddFrame(std::string_view raw);

  FrameCompressor& compressor_;
  EncodedBlock block_;   // frames finished so far; crc32c is set by Finish
  std::string pending_;  // raw, shorter than a frame
};

// Checks one stored frame and appends its raw bytes to `out`: the CRC32C, that `stored` is exactly
// one zstd frame of frame.raw_bytes bytes, and zstd's own checksum. kDataLoss, with `out` as it
// was, if any of it does not hold. Threads: any; each thread that calls keeps a zstd context
// (about 160 KiB).
Status DecodeFrame(const Frame& frame, std::string_view stored, std::string& out);

}  // namespace slipstream::block
