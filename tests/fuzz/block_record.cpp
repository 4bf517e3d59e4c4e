#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/block/block.h"
#include "common/block/block_file.h"
#include "common/block/encoded_block.h"
#include "common/block/little_endian.h"
#include "common/check/check.h"
#include "common/crc32c/crc32c.h"
#include "dfs-datanode/pack_format.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"
#include "tests/unit/block/block_builder.h"

// The records and frames that replicas are made of (docs/FORMATS.md, "Blocks" and "Packs"), read
// from any bytes. Checksums would stop nearly all of them at the door, so a bit of the input says
// whether they are made right first: what then comes through is a valid block, and writing it again
// gives the same bytes.

namespace slipstream::fuzz {
namespace {

using block::BlockMeta;

enum Kind : uint8_t { kMetaRecord, kHeaderFrame, kPackRecord, kZstdFrame, kRange, kNames, kKinds };

constexpr uint64_t kSalt = 0x5a17;
constexpr size_t kCrcBytes = 4;

// `record` with the checksum that belongs to it in its last bytes.
std::string WithRightCrc(std::string_view record) {
  if (record.size() < kCrcBytes) return std::string(record);
  std::string right(record.substr(0, record.size() - kCrcBytes));
  block::AppendLittleEndian(right, Crc32c(right));
  return right;
}

void CheckMetaRecord(std::string_view bytes) {
  const Result<BlockMeta> meta = block::ParseMetaRecord(bytes);
  if (!meta.ok()) {
    SLIPSTREAM_CHECK(meta.status().code() == Code::kDataLoss, "{}", meta.status().ToString());
    return;
  }
  SLIPSTREAM_CHECK(block::Validate(*meta).ok(), "an invalid block was read");
  SLIPSTREAM_CHECK(block::EncodeMetaRecord(*meta) == bytes, "the record has a second spelling");
}

void CheckHeaderFrame(std::string_view bytes) {
  const Result<size_t> size =
      block::HeaderFrameBytesFromHead(bytes.substr(0, block::kSkippableHeadBytes));
  SLIPSTREAM_CHECK(!size.ok() || *size <= block::kHeaderFrameBytesMax, "too long");
  const Result<BlockMeta> meta = block::ParseHeaderFrame(bytes);
  if (!meta.ok()) return;
  SLIPSTREAM_CHECK(block::EncodeHeaderFrame(*meta) == bytes, "the header has a second spelling");
  SLIPSTREAM_CHECK(block::HeaderFrameBytes(*meta) == bytes.size(), "wrong length");
  SLIPSTREAM_CHECK(block::BlockFileBytes(*meta) == bytes.size() + meta->identity.stored_bytes +
                                                       block::EncodeSeekTable(*meta).size(),
                   "wrong length of the file");
}

void CheckPackRecord(std::string_view bytes, uint64_t offset) {
  const Result<datanode::PackRecord> record = datanode::ParsePackRecord(bytes, kSalt, offset);
  const size_t found = datanode::FindPackRecord(bytes, kSalt, offset);
  SLIPSTREAM_CHECK(record.ok() == (found == 0), "found at {}", found);
  if (!record.ok()) return;
  SLIPSTREAM_CHECK(record->record_bytes <= bytes.size(), "longer than what is there");
  const std::string again = record->kind == datanode::PackRecordKind::kBlock
                                ? datanode::EncodePackBlock(record->meta, kSalt, offset)
                                : datanode::EncodePackDeletion(record->block_id, kSalt, offset);
  SLIPSTREAM_CHECK(again == bytes.substr(0, record->record_bytes), "a second spelling");
}

void CheckZstdFrame(InputReader& reader) {
  const uint32_t raw_bytes = reader.Take<uint32_t>() % (block::kFrameRawBytesMax + 2);
  const std::string stored(reader.Rest());
  const block::Frame frame{.raw_bytes = raw_bytes,
                           .stored_bytes = static_cast<uint32_t>(stored.size()),
                           .crc32c = Crc32c(stored)};
  std::string out = "before";
  const Status status = block::DecodeFrame(frame, stored, out);
  SLIPSTREAM_CHECK(out.size() == 6 + (status.ok() ? raw_bytes : 0), "{} bytes", out.size());
  SLIPSTREAM_CHECK(out.starts_with("before"), "what was there before is not");
}

// The frames of a range, against the plainest way to find them.
void CheckRange(InputReader& reader) {
  std::vector<block::Frame> frames(1 + reader.Below(6));
  for (block::Frame& frame : frames) {
    frame = {.raw_bytes = 1 + uint32_t{reader.Byte()}, .stored_bytes = 1 + uint32_t{reader.Byte()}};
  }
  const BlockMeta meta{.identity = block::SumFrames(1, frames), .frames = frames};
  const uint64_t offset = reader.Number();
  const uint64_t length = reader.Number();
  const Result<block::FrameRange> range = block::FramesCovering(meta, offset, length);
  const uint64_t total = meta.identity.raw_bytes;
  const bool is_inside = offset < total && length <= total - offset;
  SLIPSTREAM_CHECK(range.ok() == is_inside, "offset={} length={}", offset, length);
  if (!is_inside) return;
  const uint64_t end = length == 0 ? total : offset + length;
  uint64_t raw = 0;
  uint64_t stored = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    const bool is_wanted = raw < end && raw + frames[i].raw_bytes > offset;
    SLIPSTREAM_CHECK(is_wanted == (i >= range->begin && i < range->end), "frame {}", i);
    if (i == range->begin) {
      SLIPSTREAM_CHECK(raw == range->raw_offset && stored == range->stored_offset, "frame {}", i);
    }
    raw += frames[i].raw_bytes;
    stored += frames[i].stored_bytes;
  }
}

void CheckNames(std::string_view text) {
  if (const Result<block::BlockId> id = block::ParseBlockFileName(text); id.ok()) {
    SLIPSTREAM_CHECK(block::BlockFileName(*id) == text && *id != 0, "a second name");
  }
  if (const Result<datanode::PackName> name = datanode::ParsePackFileName(text); name.ok()) {
    SLIPSTREAM_CHECK(datanode::PackFileName(*name) == text, "a second name");
  }
}

void Run(std::string_view input) {
  InputReader reader(input);
  const uint8_t first = reader.Byte();
  const bool has_right_crc = (first & 0x80) != 0;
  const auto record = [&] {
    const std::string_view rest = reader.Rest();
    return has_right_crc ? WithRightCrc(rest) : std::string(rest);
  };
  switch (first % kKinds) {
    case kMetaRecord:
      return CheckMetaRecord(record());
    case kHeaderFrame:
      return CheckHeaderFrame(record());
    case kPackRecord: {
      const uint64_t offset = reader.Byte();
      return CheckPackRecord(record(), offset);
    }
    case kZstdFrame:
      return CheckZstdFrame(reader);
    case kRange:
      return CheckRange(reader);
    default:
      return CheckNames(reader.Rest());
  }
}

std::vector<std::string> Seeds() {
  const auto input = [](uint8_t kind, const std::string& rest) {
    return std::string(1, static_cast<char>(kind)) + rest;
  };
  // The first kind is 0 with and without the bit: 0x84 is 132, a multiple of kKinds.
  static_assert(0x84 % kKinds == kMetaRecord);
  constexpr uint8_t kRightCrc = 0x84;
  const block::EncodedBlock small = block::EncodeAll(block::MakeRaw(300, 1));
  const block::EncodedBlock two_frames =
      block::EncodeAll(std::string(block::kFrameRawBytesMax + 10, 'x'));
  std::vector<std::string> seeds;
  for (const block::EncodedBlock& encoded : {small, two_frames}) {
    const BlockMeta meta = block::MetaOf(encoded, 7);
    const std::string pack_record = datanode::EncodePackBlock(meta, kSalt, 3);
    for (const uint8_t crc : {uint8_t{0}, kRightCrc}) {
      seeds.push_back(input(crc + kMetaRecord, block::EncodeMetaRecord(meta)));
      seeds.push_back(input(crc + kHeaderFrame, block::EncodeHeaderFrame(meta)));
      seeds.push_back(input(crc + kPackRecord, '\3' + pack_record));
    }
    std::string frame;
    block::AppendLittleEndian(frame, meta.frames[0].raw_bytes);
    frame += std::string_view(encoded.data).substr(0, meta.frames[0].stored_bytes);
    seeds.push_back(input(kZstdFrame, frame));
  }
  seeds.push_back(input(kPackRecord, '\5' + datanode::EncodePackDeletion(9, kSalt, 5)));
  seeds.push_back(input(kRange, std::string("\2\x10\x10\x20\x20\x30\x30\x18\x08", 9)));
  seeds.push_back(input(kNames, block::BlockFileName(0xabc)));
  seeds.push_back(input(kNames, datanode::PackFileName({.number = 1, .salt = kSalt})));
  return seeds;
}

}  // namespace

const Target kBlockRecord{.name = "block_record", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
