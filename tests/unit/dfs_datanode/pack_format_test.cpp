#include "dfs-datanode/pack_format.h"

#include <random>

#include <gtest/gtest.h>

#include "common/block/little_endian.h"
#include "common/crc32c/crc32c.h"
#include "tests/unit/block/mutation.h"
#include "tests/unit/block/zstdcat.h"
#include "tests/unit/dfs_datanode/replica_fixture.h"

namespace slipstream::datanode {
namespace {

constexpr uint64_t kSalt = 0x0102030405060708;
constexpr uint64_t kOffset = 4096;

// The byte layout of docs/FORMATS.md, written out: a change here is a new format version.
TEST(PackFormatTest, LaysTheRecordOutAsDocumented) {
  const std::string record = EncodePackDeletion(0x2a, kSalt, kOffset);

  const std::string head(
      "\x5c\x2a\x4d\x18\x24\x00\x00\x00"
      "SPAK\x01\x00\x02\x00"
      "\x08\x07\x06\x05\x04\x03\x02\x01"
      "\x00\x10\x00\x00\x00\x00\x00\x00"
      "\x2a\x00\x00\x00\x00\x00\x00\x00",
      40);
  ASSERT_EQ(record.size(), 44u);
  EXPECT_EQ(record.substr(0, 40), head);
  EXPECT_EQ(block::LoadLittleEndian<uint32_t>(record, 40), Crc32c(head));
}

TEST(PackFormatTest, RecordsComeBack) {
  const TestBlock block = SmallBlock(42);
  const std::string bytes = EncodePackBlock(block.meta, kSalt, kOffset);

  Result<PackRecord> record = ParsePackRecord(bytes + block.stored, kSalt, kOffset);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->kind, PackRecordKind::kBlock);
  EXPECT_EQ(record->meta, block.meta);
  EXPECT_EQ(record->total_bytes(), bytes.size() + block.stored.size());
  record = ParsePackRecord(EncodePackDeletion(7, kSalt, kOffset), kSalt, kOffset);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->kind, PackRecordKind::kDeletion);
  EXPECT_EQ(record->block_id, 7u);
}

TEST(PackFormatTest, FindsEveryFlippedBitEveryTruncationAndEveryOtherPlace) {
  for (const std::string& record : {EncodePackBlock(SmallBlock(42).meta, kSalt, kOffset),
                                    EncodePackDeletion(7, kSalt, kOffset)}) {
    for (size_t bit = 0; bit < record.size() * 8; ++bit) {
      std::string bad = record;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_EQ(ParsePackRecord(bad, kSalt, kOffset).status().code(), Code::kDataLoss) << bit;
    }
    for (size_t size = 0; size < record.size(); ++size) {
      ASSERT_EQ(ParsePackRecord(record.substr(0, size), kSalt, kOffset).status().code(),
                Code::kDataLoss);
    }
    EXPECT_EQ(ParsePackRecord(record, kSalt, kOffset + 1).status().code(), Code::kDataLoss);
    EXPECT_EQ(ParsePackRecord(record, kSalt + 1, kOffset).status().code(), Code::kDataLoss);
  }
}

// Bytes that do not compress stand in a pack as their user gave them. If each of these were taken
// for a record as long as it says, and its checksum computed, a start would take hours.
TEST(PackFormatTest, SearchesBytesFullOfRecordHeadsInOnePass) {
  constexpr size_t kBytes = 8 << 20;
  std::string head;
  block::AppendLittleEndian(head, uint32_t{0x184d2a5c});
  block::AppendLittleEndian(head, static_cast<uint32_t>(kBytes / 2));
  head += "SPAK";
  std::string bytes;
  while (bytes.size() < kBytes)
    bytes += head;
  const size_t wanted = bytes.size();
  bytes += EncodePackDeletion(7, kSalt, kOffset + wanted);

  EXPECT_EQ(FindPackRecord(bytes, kSalt, kOffset), wanted);
}

// As in the block format's test: the right checksum over wrong content.
TEST(PackFormatTest, ParsesNothingInvalidUnderSeededMutations) {
  std::mt19937 random(11);
  const std::string record = EncodePackBlock(SmallBlock(42).meta, kSalt, kOffset);
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = block::Mutate(record.substr(0, record.size() - 4), random);
    block::AppendLittleEndian(bad, Crc32c(bad));
    if (Result<PackRecord> parsed = ParsePackRecord(bad, kSalt, kOffset); parsed.ok()) {
      const std::string again = parsed->kind == PackRecordKind::kBlock
                                    ? EncodePackBlock(parsed->meta, kSalt, kOffset)
                                    : EncodePackDeletion(parsed->block_id, kSalt, kOffset);
      ASSERT_EQ(again, bad.substr(0, again.size()));
    }
  }
}

TEST(PackFormatTest, ZstdcatRecoversTheData) {
  std::string pack;
  for (block::BlockId id : {1U, 2U}) {
    const TestBlock block = SmallBlock(id);
    pack += EncodePackBlock(block.meta, kSalt, pack.size()) + block.stored;
    pack += EncodePackDeletion(id, kSalt, pack.size());
  }

  EXPECT_EQ(block::Zstdcat(pack), block::MakeRaw(900, 1, 80) + block::MakeRaw(900, 2, 80));
}

TEST(PackFormatTest, SearchFindsTheNextRecordOfThisPack) {
  const std::string record = EncodePackDeletion(7, kSalt, kOffset + 100);
  EXPECT_EQ(FindPackRecord(std::string(100, 'x') + record, kSalt, kOffset), 100u);
  EXPECT_EQ(FindPackRecord(std::string(99, 'x') + record, kSalt, kOffset), std::string::npos);
  EXPECT_EQ(FindPackRecord("", kSalt, kOffset), std::string::npos);
}

TEST(PackFormatTest, NamesComeBackAndNoOtherNameIsRead) {
  const PackName name{.number = 3, .salt = kSalt};
  EXPECT_EQ(PackFileName(name), "0000000000000003-0102030405060708.zst");
  EXPECT_EQ(ParsePackFileName(PackFileName(name))->salt, kSalt);
  for (const char* bad : {"",
                          "3-4.zst",
                          "0000000000000003-0102030405060708",
                          "0000000000000003-010203040506070G.zst",
                          "0000000000000003_0102030405060708.zst"}) {
    EXPECT_FALSE(ParsePackFileName(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace slipstream::datanode
