#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "common/block/block_file.h"
#include "common/block/encoded_block.h"

namespace slipstream::block {

// `size` bytes that compress to roughly `entropy_percent` of it; the same for the same seed.
inline std::string MakeRaw(size_t size, uint32_t seed, uint32_t entropy_percent = 50) {
  std::mt19937 random(seed);
  std::string raw;
  raw.reserve(size);
  while (raw.size() < size) {
    raw.push_back(random() % 100 < entropy_percent ? static_cast<char>(random()) : 'a');
  }
  return raw;
}

inline EncodedBlock EncodeAll(std::string_view raw, int level = 1) {
  FrameCompressor compressor(level);
  BlockEncoder encoder(compressor);
  Status status = encoder.Append(raw);
  return status.ok() ? encoder.Finish() : EncodedBlock{};
}

inline BlockMeta MetaOf(const EncodedBlock& block, BlockId block_id) {
  return {.identity = block.IdentityFor(block_id), .frames = block.frames};
}

// The whole replica file.
inline std::string FileOf(const EncodedBlock& block, BlockId block_id) {
  BlockMeta meta = MetaOf(block, block_id);
  return EncodeHeaderFrame(meta) + block.data + EncodeSeekTable(meta);
}

}  // namespace slipstream::block
