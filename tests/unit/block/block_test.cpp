#include "common/block/block.h"

#include <gtest/gtest.h>

namespace slipstream::block {
namespace {

BlockMeta ThreeFrames() {
  BlockMeta meta;
  meta.frames = {{.raw_bytes = 100, .stored_bytes = 10, .crc32c = 1},
                 {.raw_bytes = 50, .stored_bytes = 20, .crc32c = 2},
                 {.raw_bytes = 1, .stored_bytes = 30, .crc32c = 3}};
  meta.identity = SumFrames(7, meta.frames);
  return meta;
}

TEST(BlockTest, AcceptsFramesThatAddUp) {
  EXPECT_TRUE(Validate(ThreeFrames()).ok());
  EXPECT_EQ(ThreeFrames().identity.raw_bytes, 151u);
  EXPECT_EQ(ThreeFrames().identity.stored_bytes, 60u);
}

TEST(BlockTest, RefusesWhatDoesNotAddUp) {
  BlockMeta longer = ThreeFrames();
  ++longer.identity.raw_bytes;
  BlockMeta stored = ThreeFrames();
  ++stored.identity.stored_bytes;
  BlockMeta checksum = ThreeFrames();
  ++checksum.identity.crc32c;

  EXPECT_EQ(Validate(longer).code(), Code::kInvalidArgument);
  EXPECT_EQ(Validate(stored).code(), Code::kInvalidArgument);
  EXPECT_EQ(Validate(checksum).code(), Code::kInvalidArgument);
}

TEST(BlockTest, RefusesWhatIsOutOfBounds) {
  const std::vector<std::vector<Frame>> bad = {
      {},
      {{.raw_bytes = 0, .stored_bytes = 1}},
      {{.raw_bytes = 1, .stored_bytes = 0}},
      {{.raw_bytes = kFrameRawBytesMax + 1, .stored_bytes = 1}},
      {{.raw_bytes = 1, .stored_bytes = kFrameStoredBytesMax + 1}},
      std::vector<Frame>(kFramesPerBlockMax + 1, {.raw_bytes = 1, .stored_bytes = 1}),
      std::vector<Frame>(65, {.raw_bytes = kFrameRawBytesMax, .stored_bytes = 1}),
  };
  for (const std::vector<Frame>& frames : bad) {
    BlockMeta meta{.identity = SumFrames(1, frames), .frames = frames};
    EXPECT_EQ(Validate(meta).code(), Code::kInvalidArgument) << frames.size();
  }
  BlockMeta no_id = ThreeFrames();
  no_id.identity.block_id = 0;
  EXPECT_EQ(Validate(no_id).code(), Code::kInvalidArgument);
}

TEST(BlockTest, FindsTheFramesOfEveryRange) {
  const BlockMeta meta = ThreeFrames();
  const uint64_t total = meta.identity.raw_bytes;
  for (uint64_t offset = 0; offset < total; ++offset) {
    for (uint64_t length = 0; length <= total - offset; ++length) {
      Result<FrameRange> range = FramesCovering(meta, offset, length);
      ASSERT_TRUE(range.ok());
      const uint64_t range_end = length == 0 ? total : offset + length;
      uint64_t raw = 0;
      uint64_t stored = 0;
      for (size_t i = 0; i < meta.frames.size(); ++i) {
        const bool overlaps = raw < range_end && raw + meta.frames[i].raw_bytes > offset;
        EXPECT_EQ(overlaps, i >= range->begin && i < range->end);
        if (i == range->begin) {
          EXPECT_EQ(range->raw_offset, raw);
          EXPECT_EQ(range->stored_offset, stored);
        }
        raw += meta.frames[i].raw_bytes;
        stored += meta.frames[i].stored_bytes;
      }
    }
  }
}

TEST(BlockTest, RefusesRangesOutsideOfTheBlock) {
  const BlockMeta meta = ThreeFrames();
  EXPECT_EQ(FramesCovering(meta, 151, 0).status().code(), Code::kOutOfRange);
  EXPECT_EQ(FramesCovering(meta, 150, 2).status().code(), Code::kOutOfRange);
  EXPECT_EQ(FramesCovering(meta, 1, UINT64_MAX).status().code(), Code::kOutOfRange);
  EXPECT_EQ(FramesCovering(meta, UINT64_MAX, 0).status().code(), Code::kOutOfRange);
}

}  // namespace
}  // namespace slipstream::block
