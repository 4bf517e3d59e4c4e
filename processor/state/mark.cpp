#include "processor/state/mark.h"

#include <charconv>

#include <fmt/format.h>

#include "common/crc32c/crc32c.h"
#include "processor/state/encoding.h"

namespace slipstream::runtime {
namespace {

constexpr uint8_t kMarkVersion = 1;
// With open partitions at the end; only marks that have some are of this version, so that whatever
// reads the first reads those of all other jobs.
constexpr uint8_t kPartitionsVersion = 2;
constexpr uint8_t kDoneFlag = 1;
constexpr uint8_t kIdleFlag = 2;
// The least an open file takes: it bounds what a count may claim.
constexpr size_t kOpenFileBytesMin = 4 + 4 + 4 + 8 + 8 + 8;
constexpr size_t kOpenPartitionBytesMin = 4 + 4 + 8;

void WritePair(RecordWriter& writer, const MarkPair& pair) {
  writer.Number(pair.epoch);
  writer.Number(pair.incarnation);
}

MarkPair ReadPair(RecordReader& reader) {
  MarkPair pair;
  pair.epoch = reader.Number<uint64_t>();
  pair.incarnation = reader.Number<uint64_t>();
  return pair;
}

OpenFile ReadOpenFile(RecordReader& reader) {
  OpenFile file;
  file.sink = reader.Number<uint32_t>();
  file.partition_path = reader.Text();
  file.path = reader.Text();
  file.inode_id = reader.Number<uint64_t>();
  file.length_bytes = reader.Number<uint64_t>();
  file.opened_at_ms = reader.Number<int64_t>();
  return file;
}

Status ReadOpenPartitions(RecordReader& reader, Mark& mark) {
  const auto count = reader.Number<uint32_t>();
  if (count == 0 || count > reader.rest_bytes() / kOpenPartitionBytesMin) {
    return DataLoss("mark: number of open partitions");
  }
  for (uint32_t i = 0; i < count; ++i) {
    OpenPartition& partition = mark.open_partitions.emplace_back();
    partition.sink = reader.Number<uint32_t>();
    partition.partition_path = reader.Text();
    partition.since_ms = reader.Number<int64_t>();
  }
  return {};
}

}  // namespace

std::string ToString(const MarkPair& pair) {
  return fmt::format("{}/{}", pair.epoch, pair.incarnation);
}

std::string EncodeMark(const Mark& mark) {
  RecordWriter writer;
  writer.Number(mark.open_partitions.empty() ? kMarkVersion : kPartitionsVersion);
  WritePair(writer, mark.pair);
  WritePair(writer, mark.file_pair);
  writer.Number(mark.position);
  writer.Number(mark.end);
  writer.Number(
      static_cast<uint8_t>((mark.is_done ? kDoneFlag : 0) | (mark.is_idle ? kIdleFlag : 0)));
  writer.Number(mark.watermark);
  writer.Number(mark.sender_count);
  writer.Number(mark.next_file_number);
  writer.Text(mark.fingerprint);
  writer.Text(mark.host);
  writer.Number(static_cast<uint32_t>(mark.open_files.size()));
  for (const OpenFile& file : mark.open_files) {
    writer.Number(file.sink);
    writer.Text(file.partition_path);
    writer.Text(file.path);
    writer.Number(file.inode_id);
    writer.Number(file.length_bytes);
    writer.Number(file.opened_at_ms);
  }
  if (!mark.open_partitions.empty()) {
    writer.Number(static_cast<uint32_t>(mark.open_partitions.size()));
    for (const OpenPartition& partition : mark.open_partitions) {
      writer.Number(partition.sink);
      writer.Text(partition.partition_path);
      writer.Number(partition.since_ms);
    }
  }
  writer.Number(Crc32c(writer.bytes()));
  return writer.Take();
}

Result<Mark> ParseMark(std::string_view bytes) {
  if (bytes.size() < 1 + sizeof(uint32_t)) return DataLoss("mark: cut short");
  const auto version = static_cast<uint8_t>(bytes[0]);
  if (version != kMarkVersion && version != kPartitionsVersion) {
    return DataLoss(fmt::format("mark: version={} known={}", version, kPartitionsVersion));
  }
  RecordReader trailer(bytes.substr(bytes.size() - sizeof(uint32_t)));
  bytes.remove_suffix(sizeof(uint32_t));
  if (trailer.Number<uint32_t>() != Crc32c(bytes)) return DataLoss("mark: checksum differs");

  RecordReader reader(bytes);
  (void)reader.Number<uint8_t>();
  Mark mark;
  mark.pair = ReadPair(reader);
  mark.file_pair = ReadPair(reader);
  mark.position = reader.Number<int64_t>();
  mark.end = reader.Number<int64_t>();
  const auto flags = reader.Number<uint8_t>();
  if ((flags & ~(kDoneFlag | kIdleFlag)) != 0) return DataLoss("mark: unknown flags");
  mark.is_done = (flags & kDoneFlag) != 0;
  mark.is_idle = (flags & kIdleFlag) != 0;
  mark.watermark = reader.Number<int64_t>();
  mark.sender_count = reader.Number<uint32_t>();
  mark.next_file_number = reader.Number<uint64_t>();
  mark.fingerprint = reader.Text();
  mark.host = reader.Text();
  const auto file_count = reader.Number<uint32_t>();
  if (file_count > reader.rest_bytes() / kOpenFileBytesMin) return DataLoss("mark: cut short");
  for (uint32_t i = 0; i < file_count; ++i)
    mark.open_files.push_back(ReadOpenFile(reader));
  if (version == kPartitionsVersion) RETURN_IF_ERROR(ReadOpenPartitions(reader, mark));
  if (!reader.AtEnd()) return DataLoss("mark: length differs");
  return mark;
}

std::string EncodeOffsetMetadata(const OffsetMetadata& metadata) {
  return fmt::format(
      "{} {}{}", metadata.pair.epoch, metadata.pair.incarnation, metadata.is_done ? " done" : "");
}

Result<OffsetMetadata> ParseOffsetMetadata(std::string_view text) {
  OffsetMetadata metadata;
  const char* const end = text.data() + text.size();
  auto [epoch_end, epoch_error] = std::from_chars(text.data(), end, metadata.pair.epoch);
  if (epoch_error == std::errc() && epoch_end != end && *epoch_end == ' ') {
    auto [last, error] = std::from_chars(epoch_end + 1, end, metadata.pair.incarnation);
    const std::string_view rest(last, static_cast<size_t>(end - last));
    metadata.is_done = rest == " done";
    // Leading zeros are somebody else's.
    const bool is_ours = error == std::errc() && EncodeOffsetMetadata(metadata) == text;
    if (is_ours && (rest.empty() || metadata.is_done)) return metadata;
  }
  return DataLoss(fmt::format("offset metadata of {} bytes is not a mark's", text.size()));
}

}  // namespace slipstream::runtime
