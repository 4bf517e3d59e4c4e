#include "common/block/encoded_block.h"

#include <gtest/gtest.h>

#include "common/crc32c/crc32c.h"
#include "tests/unit/block/block_builder.h"

namespace slipstream::block {
namespace {

Result<std::string> DecodeAll(const EncodedBlock& block) {
  std::string raw;
  size_t at = 0;
  for (const Frame& frame : block.frames) {
    RETURN_IF_ERROR(
        DecodeFrame(frame, std::string_view(block.data).substr(at, frame.stored_bytes), raw));
    at += frame.stored_bytes;
  }
  return raw;
}

TEST(EncodedBlockTest, ComesBackAsItWasAppendedWhateverThePieces) {
  std::mt19937 random(20130101);
  FrameCompressor compressor(3);
  BlockEncoder encoder(compressor);
  for (size_t size : {size_t{1},
                      size_t{1000},
                      size_t{kFrameRawBytesMax - 1},
                      size_t{kFrameRawBytesMax},
                      size_t{kFrameRawBytesMax + 1},
                      size_t{3'500'000}}) {
    const std::string raw = MakeRaw(size, static_cast<uint32_t>(size));
    for (size_t at = 0; at < size;) {
      const size_t piece = std::min<size_t>(size - at, 1 + random() % 1'500'000);
      ASSERT_TRUE(encoder.Append(std::string_view(raw).substr(at, piece)).ok());
      at += piece;
      ASSERT_EQ(encoder.raw_bytes(), at);
    }
    EncodedBlock block = encoder.Finish();

    EXPECT_TRUE(encoder.empty());
    EXPECT_TRUE(Validate(MetaOf(block, 1)).ok());
    EXPECT_EQ(block.crc32c, Crc32c(block.data));
    EXPECT_EQ(block.frames.size(), (size + kFrameRawBytesMax - 1) / kFrameRawBytesMax);
    EXPECT_EQ(DecodeAll(block).value(), raw);
  }
}

TEST(EncodedBlockTest, TakesAFullBlockThatDoesNotCompressAndNoByteMore) {
  const std::string raw = MakeRaw(kFrameRawBytesMax, 1, 100);
  FrameCompressor compressor(1);
  BlockEncoder encoder(compressor);
  for (int i = 0; i < 64; ++i)
    ASSERT_TRUE(encoder.Append(raw).ok());

  EXPECT_EQ(encoder.room_bytes(), 0u);
  EXPECT_EQ(encoder.Append("x").code(), Code::kOutOfRange);
  EncodedBlock block = encoder.Finish();
  EXPECT_EQ(block.raw_bytes, kBlockRawBytesMax);
  EXPECT_GT(block.stored_bytes(), block.raw_bytes);
  EXPECT_TRUE(Validate(MetaOf(block, 1)).ok());
}

TEST(EncodedBlockTest, HoldsCompressedBytesOnly) {
  FrameCompressor compressor(3);
  BlockEncoder encoder(compressor);
  ASSERT_TRUE(encoder.Append(std::string(10 * kFrameRawBytesMax + 5, 'a')).ok());

  EXPECT_LT(encoder.stored_bytes(), 10'000u);
  EXPECT_EQ(encoder.raw_bytes(), 10 * kFrameRawBytesMax + 5);
}

TEST(DecodeFrameTest, FindsEveryFlippedBitAndEveryTruncation) {
  const EncodedBlock block = EncodeAll(MakeRaw(2000, 5));
  ASSERT_EQ(block.frames.size(), 1u);
  std::string out = "before";
  for (size_t bit = 0; bit < block.data.size() * 8; ++bit) {
    std::string bad = block.data;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(DecodeFrame(block.frames[0], bad, out).code(), Code::kDataLoss) << bit;
  }
  for (size_t size = 0; size < block.data.size(); ++size) {
    const std::string_view bad = std::string_view(block.data).substr(0, size);
    ASSERT_EQ(DecodeFrame(block.frames[0], bad, out).code(), Code::kDataLoss) << size;
  }
  EXPECT_EQ(out, "before");
}

// What a checksum of ours cannot see: a writer that computed it over bytes already damaged.
TEST(DecodeFrameTest, ZstdsOwnChecksumIsTheSecondOpinion) {
  const EncodedBlock block = EncodeAll(MakeRaw(2000, 6));
  std::string out;
  for (size_t bit = 0; bit < block.data.size() * 8; ++bit) {
    std::string bad = block.data;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    Frame frame = block.frames[0];
    frame.crc32c = Crc32c(bad);
    out.clear();
    if (DecodeFrame(frame, bad, out).ok()) {
      // A bit that means nothing to zstd; then the content is what it was.
      ASSERT_EQ(out, MakeRaw(2000, 6)) << bit;
    } else {
      ASSERT_TRUE(out.empty());
    }
  }
}

TEST(DecodeFrameTest, BelievesNoLength) {
  const EncodedBlock block = EncodeAll(MakeRaw(2000, 7));
  std::string out;
  for (uint32_t raw : {0u, 1u, 1999u, 2001u, kFrameRawBytesMax, UINT32_MAX}) {
    Frame frame = block.frames[0];
    frame.raw_bytes = raw;
    EXPECT_EQ(DecodeFrame(frame, block.data, out).code(), Code::kDataLoss) << raw;
  }
  Frame twice = block.frames[0];
  twice.stored_bytes *= 2;
  twice.crc32c = Crc32c(block.data + block.data);
  EXPECT_EQ(DecodeFrame(twice, block.data + block.data, out).code(), Code::kDataLoss);
  EXPECT_TRUE(out.empty());
}

}  // namespace
}  // namespace slipstream::block
