#include "dfs-datanode/pack_format.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "common/block/little_endian.h"
#include "common/crc32c/crc32c.h"

namespace slipstream::datanode {
namespace {

using block::AppendLittleEndian;
using block::LoadLittleEndian;

// Changing any of these is a new format: docs/FORMATS.md first.
constexpr uint32_t kRecordMagic = 0x184d2a5c;
constexpr uint32_t kRecordTag = 0x4b415053;  // "SPAK"
constexpr uint16_t kRecordVersion = 1;
constexpr size_t kSkippableHeadBytes = block::kSkippableHeadBytes;
constexpr size_t kBodyHeadBytes = 24;
constexpr size_t kCrcBytes = 4;
constexpr std::string_view kSuffix = ".zst";
constexpr size_t kNameDigits = 16;

static_assert(kPackRecordBytesMin ==
              kSkippableHeadBytes + kBodyHeadBytes + sizeof(block::BlockId) + kCrcBytes);
static_assert(kPackRecordBytesMax ==
              kSkippableHeadBytes + kBodyHeadBytes + block::kMetaRecordBytesMax + kCrcBytes);

std::string EncodeRecord(PackRecordKind kind,
                         std::string_view payload,
                         uint64_t salt,
                         uint64_t offset) {
  std::string record;
  record.reserve(kSkippableHeadBytes + kBodyHeadBytes + payload.size() + kCrcBytes);
  AppendLittleEndian(record, kRecordMagic);
  AppendLittleEndian(record, static_cast<uint32_t>(kBodyHeadBytes + payload.size() + kCrcBytes));
  AppendLittleEndian(record, kRecordTag);
  AppendLittleEndian(record, kRecordVersion);
  AppendLittleEndian(record, static_cast<uint16_t>(kind));
  AppendLittleEndian(record, salt);
  AppendLittleEndian(record, offset);
  record.append(payload);
  AppendLittleEndian(record, Crc32c(record));
  return record;
}

bool ParseHex(std::string_view digits, uint64_t& number) {
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return error == std::errc() && end == digits.data() + digits.size();
}

}  // namespace

std::string PackFileName(const PackName& name) {
  return fmt::format("{:016x}-{:016x}{}", name.number, name.salt, kSuffix);
}

Result<PackName> ParsePackFileName(std::string_view file_name) {
  PackName name;
  if (file_name.size() == 2 * kNameDigits + 1 + kSuffix.size() &&
      ParseHex(file_name.substr(0, kNameDigits), name.number) &&
      ParseHex(file_name.substr(kNameDigits + 1, kNameDigits), name.salt) &&
      PackFileName(name) == file_name) {
    return name;
  }
  return InvalidArgument("not a pack's file name");
}

std::string EncodePackBlock(const block::BlockMeta& meta, uint64_t salt, uint64_t offset) {
  return EncodeRecord(PackRecordKind::kBlock, block::EncodeMetaRecord(meta), salt, offset);
}

std::string EncodePackDeletion(block::BlockId block_id, uint64_t salt, uint64_t offset) {
  std::string payload;
  AppendLittleEndian(payload, block_id);
  return EncodeRecord(PackRecordKind::kDeletion, payload, salt, offset);
}

Result<PackRecord> ParsePackRecord(std::string_view bytes, uint64_t salt, uint64_t offset) {
  if (bytes.size() < kPackRecordBytesMin || LoadLittleEndian<uint32_t>(bytes, 0) != kRecordMagic ||
      LoadLittleEndian<uint32_t>(bytes, 8) != kRecordTag) {
    return DataLoss("not a pack record");
  }
  const uint64_t record_bytes =
      kSkippableHeadBytes + uint64_t{LoadLittleEndian<uint32_t>(bytes, 4)};
  if (record_bytes < kPackRecordBytesMin || record_bytes > kPackRecordBytesMax ||
      record_bytes > bytes.size()) {
    return DataLoss(fmt::format("pack record of {} bytes", record_bytes));
  }
  bytes = bytes.substr(0, record_bytes);
  // Before the checksum: behind damage users' bytes are searched, which may be full of what looks
  // like records, but nobody outside knows the salt.
  if (LoadLittleEndian<uint64_t>(bytes, 16) != salt ||
      LoadLittleEndian<uint64_t>(bytes, 24) != offset) {
    return DataLoss("pack record of another place");
  }
  const size_t crc_at = bytes.size() - kCrcBytes;
  if (LoadLittleEndian<uint32_t>(bytes, crc_at) != Crc32c(bytes.substr(0, crc_at))) {
    return DataLoss("pack record: crc32c does not match");
  }
  if (uint16_t version = LoadLittleEndian<uint16_t>(bytes, 12); version != kRecordVersion) {
    return DataLoss(fmt::format("pack record: version {} is not known here", version));
  }
  const size_t payload_at = kSkippableHeadBytes + kBodyHeadBytes;
  const std::string_view payload = bytes.substr(payload_at, crc_at - payload_at);
  PackRecord record{.kind = PackRecordKind{LoadLittleEndian<uint16_t>(bytes, 14)},
                    .record_bytes = bytes.size()};
  switch (record.kind) {
    case PackRecordKind::kBlock: {
      ASSIGN_OR_RETURN(record.meta, block::ParseMetaRecord(payload));
      record.block_id = record.meta.identity.block_id;
      return record;
    }
    case PackRecordKind::kDeletion:
      if (payload.size() != sizeof(block::BlockId)) return DataLoss("pack record: wrong length");
      record.block_id = LoadLittleEndian<uint64_t>(payload, 0);
      return record;
  }
  return DataLoss("pack record: unknown kind");
}

size_t FindPackRecord(std::string_view bytes, uint64_t salt, uint64_t offset) {
  std::string magic;
  AppendLittleEndian(magic, kRecordMagic);
  for (size_t at = bytes.find(magic); at != std::string_view::npos;
       at = bytes.find(magic, at + 1)) {
    if (ParsePackRecord(bytes.substr(at), salt, offset + at).ok()) return at;
  }
  return std::string_view::npos;
}

}  // namespace slipstream::datanode
