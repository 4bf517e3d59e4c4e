#include "common/block/block_file.h"

#include <gtest/gtest.h>

#include "common/block/little_endian.h"
#include "common/crc32c/crc32c.h"
#include "tests/unit/block/block_builder.h"
#include "tests/unit/block/mutation.h"
#include "tests/unit/block/zstdcat.h"

namespace slipstream::block {
namespace {

// The byte layout of docs/FORMATS.md, written out: a change here is a new format version.
TEST(BlockFileTest, LaysTheRecordOutAsDocumented) {
  BlockMeta meta{.frames = {{.raw_bytes = 3, .stored_bytes = 2, .crc32c = 0x04030201}}};
  meta.identity = SumFrames(0x1122334455667788, meta.frames);

  std::string record = EncodeMetaRecord(meta);

  const std::string head(
      "SBLK\x01\x00\x00\x00"
      "\x88\x77\x66\x55\x44\x33\x22\x11"
      "\x03\x00\x00\x00\x00\x00\x00\x00"
      "\x02\x00\x00\x00\x00\x00\x00\x00"
      "\x01\x02\x03\x04\x01\x00\x00\x00"
      "\x02\x00\x00\x00\x03\x00\x00\x00\x01\x02\x03\x04",
      52);
  EXPECT_EQ(record.substr(0, 52), head);
  ASSERT_EQ(record.size(), 56u);
  EXPECT_EQ(LoadLittleEndian<uint32_t>(record, 52), Crc32c(head));
  EXPECT_EQ(EncodeHeaderFrame(meta), std::string("\x5b\x2a\x4d\x18\x38\x00\x00\x00", 8) + record);
  EXPECT_EQ(EncodeSeekTable(meta),
            std::string("\x5e\x2a\x4d\x18\x19\x00\x00\x00"
                        "\x40\x00\x00\x00\x00\x00\x00\x00"
                        "\x02\x00\x00\x00\x03\x00\x00\x00"
                        "\x02\x00\x00\x00\x00\xb1\xea\x92\x8f",
                        33));
}

TEST(BlockFileTest, RecordsComeBack) {
  const EncodedBlock block = EncodeAll(MakeRaw(3'000'000, 1));
  const BlockMeta meta = MetaOf(block, 42);

  EXPECT_EQ(ParseMetaRecord(EncodeMetaRecord(meta)).value(), meta);
  const std::string header = EncodeHeaderFrame(meta);
  EXPECT_EQ(ParseHeaderFrame(header).value(), meta);
  EXPECT_EQ(HeaderFrameBytes(meta), header.size());
  EXPECT_EQ(HeaderFrameBytesFromHead(header.substr(0, kSkippableHeadBytes)).value(), header.size());
  EXPECT_EQ(BlockFileBytes(meta), FileOf(block, 42).size());
}

TEST(BlockFileTest, FindsEveryFlippedBitAndEveryTruncationOfTheHeader) {
  const std::string header = EncodeHeaderFrame(MetaOf(EncodeAll(MakeRaw(3'000'000, 2)), 42));
  for (size_t bit = 0; bit < header.size() * 8; ++bit) {
    std::string bad = header;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(ParseHeaderFrame(bad).status().code(), Code::kDataLoss) << bit;
  }
  for (size_t size = 0; size < header.size(); ++size) {
    ASSERT_EQ(ParseHeaderFrame(header.substr(0, size)).status().code(), Code::kDataLoss) << size;
  }
  EXPECT_EQ(ParseHeaderFrame(header + "x").status().code(), Code::kDataLoss);
}

// Mutations that a checksum would stop are given the right checksum, so that the checks behind it
// are what is tested: whatever parses must be a valid block and must encode to the same bytes.
TEST(BlockFileTest, ParsesNothingInvalidUnderSeededMutations) {
  std::mt19937 random(7);
  const std::string record = EncodeMetaRecord(MetaOf(EncodeAll(MakeRaw(2'500'000, 3)), 42));
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = Mutate(record.substr(0, record.size() - 4), random);
    AppendLittleEndian(bad, Crc32c(bad));
    if (Result<BlockMeta> meta = ParseMetaRecord(bad); meta.ok()) {
      ASSERT_TRUE(Validate(*meta).ok());
      ASSERT_EQ(EncodeMetaRecord(*meta), bad);
    }
  }
}

TEST(BlockFileTest, ZstdcatRecoversTheData) {
  const std::string raw = MakeRaw(3'500'000, 4);

  EXPECT_EQ(Zstdcat(FileOf(EncodeAll(raw, 3), 42)), raw);
}

TEST(BlockFileTest, NamesFilesByIdAndReadsNoOtherName) {
  EXPECT_EQ(BlockFileName(0x2a), "000000000000002a");
  EXPECT_EQ(BlockDirectoryName(0xab2aff), "2a");
  EXPECT_EQ(ParseBlockFileName("fedcba9876543210").value(), 0xfedcba9876543210);
  for (const char* name : {"",
                           "2a",
                           "000000000000002A",
                           "0000000000000000",
                           "00000000000000002a",
                           "-00000000000002a",
                           "000000000000002g"}) {
    EXPECT_EQ(ParseBlockFileName(name).status().code(), Code::kInvalidArgument) << name;
  }
}

}  // namespace
}  // namespace slipstream::block
