#include "processor/runtime/repartition_record.h"

#include <fmt/format.h>

#include "processor/state/encoding.h"

namespace slipstream::runtime {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint8_t kRowsKind = 'R';
constexpr uint8_t kMarksKind = 'M';
constexpr uint8_t kIdleFlag = 1;
constexpr uint8_t kDoneFlag = 2;
constexpr size_t kMarkBytes = 1 + 4 + 4 + 8 + 1;
// More senders than a job has.
constexpr uint32_t kSendersMax = 100'000;

SenderId ReadSender(RecordReader& reader) {
  SenderId sender;
  sender.input = reader.Number<uint8_t>();
  sender.partition = reader.Number<int32_t>();
  return sender;
}

void WriteSender(RecordWriter& writer, const SenderId& sender) {
  writer.Number(sender.input);
  writer.Number(sender.partition);
}

Status ReadMarks(RecordReader& reader, std::vector<SenderMark>& marks) {
  const auto count = reader.Number<uint32_t>();
  if (count == 0 || reader.rest_bytes() != size_t{count} * kMarkBytes) {
    return DataLoss("repartition record: marks cut short");
  }
  for (uint32_t i = 0; i < count; ++i) {
    SenderMark& mark = marks.emplace_back();
    mark.sender = ReadSender(reader);
    mark.sender_count = reader.Number<uint32_t>();
    mark.watermark = reader.Number<int64_t>();
    const auto flags = reader.Number<uint8_t>();
    mark.is_idle = (flags & kIdleFlag) != 0;
    mark.is_done = (flags & kDoneFlag) != 0;
    const bool is_sound = (flags & ~(kIdleFlag | kDoneFlag)) == 0 &&
                          mark.sender_count <= kSendersMax && mark.sender.partition >= 0 &&
                          static_cast<uint32_t>(mark.sender.partition) < mark.sender_count;
    if (!is_sound) return DataLoss("repartition record: a mark that cannot be");
  }
  return {};
}

Status ReadRows(std::string_view bytes, std::vector<std::string_view>& rows) {
  while (!bytes.empty()) {
    RecordReader reader(bytes);
    const auto size = reader.Number<uint32_t>();
    if (!reader.ok() || size > reader.rest_bytes()) {
      return DataLoss("repartition record: a row cut short");
    }
    rows.push_back(bytes.substr(sizeof(size), size));
    bytes.remove_prefix(sizeof(size) + size);
  }
  return rows.empty() ? DataLoss("repartition record: no rows") : Status();
}

}  // namespace

std::string EncodeSenderMarks(std::span<const SenderMark> marks) {
  RecordWriter writer;
  writer.Number(kVersion);
  writer.Number(kMarksKind);
  writer.Number(static_cast<uint32_t>(marks.size()));
  for (const SenderMark& mark : marks) {
    WriteSender(writer, mark.sender);
    writer.Number(mark.sender_count);
    writer.Number(mark.watermark);
    writer.Number(
        static_cast<uint8_t>((mark.is_idle ? kIdleFlag : 0) | (mark.is_done ? kDoneFlag : 0)));
  }
  return writer.Take();
}

std::string BeginRows(size_t exchange, const SenderId& sender) {
  RecordWriter writer;
  writer.Number(kVersion);
  writer.Number(kRowsKind);
  writer.Number(static_cast<uint16_t>(exchange));
  WriteSender(writer, sender);
  return writer.Take();
}

void AppendRow(std::string& record, std::string_view row) {
  const auto size = static_cast<uint32_t>(row.size());
  char bytes[sizeof(size)];
  std::memcpy(bytes, &size, sizeof(size));
  record.append(bytes, sizeof(size)).append(row);
}

Result<RepartitionRecord> ParseRepartitionRecord(std::string_view bytes) {
  RecordReader reader(bytes);
  if (const auto version = reader.Number<uint8_t>(); version != kVersion) {
    return DataLoss(fmt::format("repartition record: version={} known={}", version, kVersion));
  }
  RepartitionRecord record;
  switch (reader.Number<uint8_t>()) {
    case kMarksKind:
      RETURN_IF_ERROR(ReadMarks(reader, record.marks));
      return record;
    case kRowsKind:
      record.exchange = reader.Number<uint16_t>();
      record.sender = ReadSender(reader);
      if (!reader.ok()) return DataLoss("repartition record: cut short");
      RETURN_IF_ERROR(ReadRows(bytes.substr(bytes.size() - reader.rest_bytes()), record.rows));
      return record;
    default:
      return DataLoss("repartition record: neither rows nor marks");
  }
}

}  // namespace slipstream::runtime
