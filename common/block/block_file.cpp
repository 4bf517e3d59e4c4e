#include "common/block/block_file.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "common/block/little_endian.h"
#include "common/check/check.h"
#include "common/crc32c/crc32c.h"

namespace slipstream::block {
namespace {

// Changing any of these is a new format: docs/FORMATS.md first.
constexpr uint32_t kRecordTag = 0x4b4c4253;  // "SBLK"
constexpr uint16_t kRecordVersion = 1;
constexpr size_t kRecordHeadBytes = 40;
constexpr size_t kRecordFrameBytes = 12;
constexpr size_t kRecordTailBytes = 4;
constexpr uint32_t kHeaderMagic = 0x184d2a5b;
constexpr uint32_t kSeekTableMagic = 0x184d2a5e;
constexpr uint32_t kSeekTableFooterMagic = 0x8f92eab1;
constexpr size_t kSeekTableEntryBytes = 8;
constexpr size_t kSeekTableFooterBytes = 9;
constexpr size_t kFileNameDigits = 16;

static_assert(kMetaRecordBytesMax ==
              kRecordHeadBytes + kRecordFrameBytes * kFramesPerBlockMax + kRecordTailBytes);

size_t MetaRecordBytes(size_t frame_count) {
  return kRecordHeadBytes + kRecordFrameBytes * frame_count + kRecordTailBytes;
}

size_t SeekTableBytes(const BlockMeta& meta) {
  // The header frame has an entry, too.
  return kSkippableHeadBytes + kSeekTableEntryBytes * (meta.frames.size() + 1) +
         kSeekTableFooterBytes;
}

}  // namespace

std::string EncodeMetaRecord(const BlockMeta& meta) {
  Status valid = Validate(meta);
  SLIPSTREAM_CHECK(valid.ok(), "{}", valid.message());
  std::string record;
  record.reserve(MetaRecordBytes(meta.frames.size()));
  AppendLittleEndian(record, kRecordTag);
  AppendLittleEndian(record, kRecordVersion);
  AppendLittleEndian(record, uint16_t{0});
  AppendLittleEndian(record, meta.identity.block_id);
  AppendLittleEndian(record, meta.identity.raw_bytes);
  AppendLittleEndian(record, meta.identity.stored_bytes);
  AppendLittleEndian(record, meta.identity.crc32c);
  AppendLittleEndian(record, static_cast<uint32_t>(meta.frames.size()));
  for (const Frame& frame : meta.frames) {
    AppendLittleEndian(record, frame.stored_bytes);
    AppendLittleEndian(record, frame.raw_bytes);
    AppendLittleEndian(record, frame.crc32c);
  }
  AppendLittleEndian(record, Crc32c(record));
  return record;
}

Result<BlockMeta> ParseMetaRecord(std::string_view record) {
  if (record.size() < MetaRecordBytes(1) || record.size() > kMetaRecordBytesMax) {
    return DataLoss(fmt::format("meta record of {} bytes", record.size()));
  }
  const size_t tail = record.size() - kRecordTailBytes;
  if (LoadLittleEndian<uint32_t>(record, tail) != Crc32c(record.substr(0, tail))) {
    return DataLoss("meta record: crc32c does not match");
  }
  if (LoadLittleEndian<uint32_t>(record, 0) != kRecordTag) {
    return DataLoss("meta record: not one");
  }
  if (uint16_t version = LoadLittleEndian<uint16_t>(record, 4); version != kRecordVersion) {
    return DataLoss(fmt::format("meta record: version {} is not known here", version));
  }
  const uint32_t frame_count = LoadLittleEndian<uint32_t>(record, 36);
  if (LoadLittleEndian<uint16_t>(record, 6) != 0 || frame_count > kFramesPerBlockMax ||
      record.size() != MetaRecordBytes(frame_count)) {
    return DataLoss(fmt::format("meta record: {} frames in {} bytes", frame_count, record.size()));
  }
  BlockMeta meta;
  meta.identity = {.block_id = LoadLittleEndian<uint64_t>(record, 8),
                   .raw_bytes = LoadLittleEndian<uint64_t>(record, 16),
                   .stored_bytes = LoadLittleEndian<uint64_t>(record, 24),
                   .crc32c = LoadLittleEndian<uint32_t>(record, 32)};
  meta.frames.reserve(frame_count);
  for (size_t at = kRecordHeadBytes; at < tail; at += kRecordFrameBytes) {
    meta.frames.push_back({.raw_bytes = LoadLittleEndian<uint32_t>(record, at + 4),
                           .stored_bytes = LoadLittleEndian<uint32_t>(record, at),
                           .crc32c = LoadLittleEndian<uint32_t>(record, at + 8)});
  }
  if (Status valid = Validate(meta); !valid.ok()) return DataLoss(valid.message());
  return meta;
}

std::string EncodeHeaderFrame(const BlockMeta& meta) {
  std::string record = EncodeMetaRecord(meta);
  std::string frame;
  frame.reserve(kSkippableHeadBytes + record.size());
  AppendLittleEndian(frame, kHeaderMagic);
  AppendLittleEndian(frame, static_cast<uint32_t>(record.size()));
  frame.append(record);
  return frame;
}

size_t HeaderFrameBytes(const BlockMeta& meta) {
  return kSkippableHeadBytes + MetaRecordBytes(meta.frames.size());
}

Result<size_t> HeaderFrameBytesFromHead(std::string_view head) {
  if (head.size() != kSkippableHeadBytes || LoadLittleEndian<uint32_t>(head, 0) != kHeaderMagic) {
    return DataLoss("not a header frame");
  }
  const size_t record_bytes = LoadLittleEndian<uint32_t>(head, 4);
  if (record_bytes < MetaRecordBytes(1) || record_bytes > kMetaRecordBytesMax) {
    return DataLoss(fmt::format("header frame with a record of {} bytes", record_bytes));
  }
  return kSkippableHeadBytes + record_bytes;
}

Result<BlockMeta> ParseHeaderFrame(std::string_view frame) {
  ASSIGN_OR_RETURN(const size_t bytes,
                   HeaderFrameBytesFromHead(frame.substr(0, kSkippableHeadBytes)));
  if (bytes != frame.size()) return DataLoss("header frame: wrong length");
  return ParseMetaRecord(frame.substr(kSkippableHeadBytes));
}

std::string EncodeSeekTable(const BlockMeta& meta) {
  std::string table;
  table.reserve(SeekTableBytes(meta));
  AppendLittleEndian(table, kSeekTableMagic);
  AppendLittleEndian(table, static_cast<uint32_t>(SeekTableBytes(meta) - kSkippableHeadBytes));
  AppendLittleEndian(table, static_cast<uint32_t>(HeaderFrameBytes(meta)));
  AppendLittleEndian(table, uint32_t{0});
  for (const Frame& frame : meta.frames) {
    AppendLittleEndian(table, frame.stored_bytes);
    AppendLittleEndian(table, frame.raw_bytes);
  }
  AppendLittleEndian(table, static_cast<uint32_t>(meta.frames.size() + 1));
  AppendLittleEndian(table, uint8_t{0});
  AppendLittleEndian(table, kSeekTableFooterMagic);
  return table;
}

uint64_t BlockFileBytes(const BlockMeta& meta) {
  return HeaderFrameBytes(meta) + meta.identity.stored_bytes + SeekTableBytes(meta);
}

std::string BlockDirectoryName(BlockId block_id) {
  return fmt::format("{:02x}", block_id >> 8 & 0xff);
}

std::string BlockFileName(BlockId block_id) {
  return fmt::format("{:016x}", block_id);
}

Result<BlockId> ParseBlockFileName(std::string_view name) {
  BlockId block_id = 0;
  const bool has_form =
      name.size() == kFileNameDigits && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      });
  if (!has_form) return InvalidArgument("not a block's file name");
  std::from_chars(name.data(), name.data() + name.size(), block_id, 16);
  if (block_id == 0) return InvalidArgument("not a block's file name");
  return block_id;
}

}  // namespace slipstream::block
