#include "processor/savepoint/savepoint_codec.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/crc32c/crc32c.h"
#include "processor/state/encoding.h"

namespace slipstream::runtime {
namespace {

constexpr std::string_view kMagic = "SLIPSAVE";
constexpr uint8_t kVersion = 1;

constexpr uint8_t kHeaderBlock = 'H';
constexpr uint8_t kTaskBlock = 'T';
constexpr uint8_t kKeysBlock = 'K';
constexpr uint8_t kRecordsBlock = 'R';
constexpr uint8_t kEndBlock = 'E';

// A block is written once it is so long; a value that is longer makes it longer.
constexpr size_t kBlockBytes = size_t{1} << 20;
// Far above what brokers take as one record.
constexpr uint32_t kPayloadBytesMax = 256U << 20;
constexpr size_t kPrefixBytes = 1 + sizeof(uint32_t);  // kind, length

constexpr uint32_t kStagesMax = 256;
constexpr int32_t kPartitionsMax = 100'000;

bool IsKindOfKey(uint8_t kind) {
  return kind == static_cast<uint8_t>(ChangelogKind::kState) ||
         kind == static_cast<uint8_t>(ChangelogKind::kTime);
}

// A text of the payload, without a copy.
Result<std::string_view> TakeText(std::string_view& rest) {
  RecordReader reader(rest);
  const auto size = reader.Number<uint32_t>();
  if (!reader.ok() || reader.rest_bytes() < size) return DataLoss("savepoint: a text is cut short");
  const std::string_view text = rest.substr(sizeof(size), size);
  rest.remove_prefix(sizeof(size) + size);
  return text;
}

Result<SavepointTask> ParseTask(std::string_view payload) {
  RecordReader reader(payload);
  SavepointTask task;
  task.stage = reader.Number<uint32_t>();
  task.input = reader.Number<uint8_t>();
  task.partition = reader.Number<int32_t>();
  const auto has_mark = reader.Number<uint8_t>();
  const std::string mark = reader.Text();
  if (!reader.AtEnd() || task.stage >= kStagesMax || task.partition < 0 ||
      task.partition >= kPartitionsMax || has_mark > 1 || (has_mark == 0 && !mark.empty())) {
    return DataLoss("savepoint: a task that cannot be");
  }
  if (has_mark == 1) {
    ASSIGN_OR_RETURN(task.mark, ParseMark(mark));
  }
  return task;
}

Result<SavepointHeader> ParseHeader(std::string_view payload) {
  RecordReader reader(payload);
  SavepointHeader header{.id = reader.Text(),
                         .job_name = reader.Text(),
                         .taken_at_ms = reader.Number<int64_t>(),
                         .fingerprint = reader.Text(),
                         .state_text = reader.Text(),
                         .job = {}};
  const std::string job = reader.Text();
  if (!reader.AtEnd() || header.id.empty())
    return DataLoss("savepoint: its header's length differs");
  ASSIGN_OR_RETURN(header.job, ParseJobRecord(job));
  return header;
}

}  // namespace

// ---- Writing ----

Status SavepointWriter::Begin(const SavepointHeader& header) {
  RecordWriter payload;
  payload.Text(header.id);
  payload.Text(header.job_name);
  payload.Number(header.taken_at_ms);
  payload.Text(header.fingerprint);
  payload.Text(header.state_text);
  payload.Text(EncodeJobRecord(header.job));
  RETURN_IF_ERROR(sink_(std::string(kMagic) + static_cast<char>(kVersion)));
  return WriteBlock(kHeaderBlock, payload.bytes());
}

Status SavepointWriter::BeginTask(const SavepointTask& task) {
  RETURN_IF_ERROR(Flush());
  ++counts_.tasks;
  RecordWriter payload;
  payload.Number(task.stage);
  payload.Number(task.input);
  payload.Number(task.partition);
  payload.Number(static_cast<uint8_t>(task.mark ? 1 : 0));
  payload.Text(task.mark ? EncodeMark(*task.mark) : "");
  return WriteBlock(kTaskBlock, payload.bytes());
}

Status SavepointWriter::AddKey(ChangelogKind kind, std::string_view key, std::string_view value) {
  ++counts_.keys;
  RecordWriter entry;
  entry.Number(static_cast<uint8_t>(kind));
  entry.Text(key);
  entry.Text(value);
  keys_ += entry.bytes();
  return keys_.size() < kBlockBytes ? Status() : Flush();
}

Status SavepointWriter::AddRecord(std::string_view value) {
  ++counts_.records;
  RecordWriter entry;
  entry.Text(value);
  records_ += entry.bytes();
  return records_.size() < kBlockBytes ? Status() : Flush();
}

Status SavepointWriter::End() {
  RETURN_IF_ERROR(Flush());
  RecordWriter payload;
  payload.Number(counts_.tasks);
  payload.Number(counts_.keys);
  payload.Number(counts_.records);
  return WriteBlock(kEndBlock, payload.bytes());
}

Status SavepointWriter::Flush() {
  if (!keys_.empty()) RETURN_IF_ERROR(WriteBlock(kKeysBlock, keys_));
  keys_.clear();
  if (!records_.empty()) RETURN_IF_ERROR(WriteBlock(kRecordsBlock, records_));
  records_.clear();
  return {};
}

Status SavepointWriter::WriteBlock(uint8_t kind, std::string_view payload) {
  if (payload.size() > kPayloadBytesMax) {
    return ResourceExhausted(fmt::format(
        "savepoint: a value of bytes={}, at most {}", payload.size(), kPayloadBytesMax));
  }
  RecordWriter prefix;
  prefix.Number(kind);
  prefix.Number(static_cast<uint32_t>(payload.size()));
  RecordWriter checksum;
  checksum.Number(ExtendCrc32c(Crc32c(prefix.bytes()), payload));
  RETURN_IF_ERROR(sink_(prefix.bytes()));
  RETURN_IF_ERROR(sink_(payload));
  return sink_(checksum.bytes());
}

// ---- Reading ----

Status SavepointReader::Need(size_t bytes) {
  if (rest().size() >= bytes) return {};
  buffer_.erase(0, used_);
  used_ = 0;
  while (buffer_.size() < bytes) {
    ASSIGN_OR_RETURN(const std::string chunk, source_());
    if (chunk.empty()) return DataLoss("savepoint: it is cut short");
    buffer_ += chunk;
  }
  return {};
}

Result<SavepointReader::Block> SavepointReader::ReadBlock() {
  RETURN_IF_ERROR(Need(kPrefixBytes));
  RecordReader prefix(rest());
  Block block{.kind = prefix.Number<uint8_t>(), .payload = {}};
  const auto size = prefix.Number<uint32_t>();
  if (size > kPayloadBytesMax) return DataLoss("savepoint: a block's length cannot be");
  RETURN_IF_ERROR(Need(kPrefixBytes + size + sizeof(uint32_t)));
  const std::string_view checked = rest().substr(0, kPrefixBytes + size);
  RecordReader checksum(rest().substr(checked.size()));
  if (checksum.Number<uint32_t>() != Crc32c(checked)) {
    return DataLoss("savepoint: a block's checksum differs");
  }
  block.payload = checked.substr(kPrefixBytes);
  used_ += checked.size() + sizeof(uint32_t);
  return block;
}

Result<SavepointHeader> SavepointReader::ReadHeader() {
  RETURN_IF_ERROR(Need(kMagic.size() + 1));
  if (!rest().starts_with(kMagic)) return DataLoss("not a savepoint");
  const auto version = static_cast<uint8_t>(rest()[kMagic.size()]);
  if (version != kVersion) {
    return DataLoss(fmt::format("savepoint: version={} known={}", version, kVersion));
  }
  used_ += kMagic.size() + 1;
  ASSIGN_OR_RETURN(const Block block, ReadBlock());
  if (block.kind != kHeaderBlock) return DataLoss("savepoint: it does not begin with a header");
  return ParseHeader(block.payload);
}

Result<SavepointCounts> SavepointReader::ReadTasks(Visitor& visitor) {
  for (;;) {
    ASSIGN_OR_RETURN(const Block block, ReadBlock());
    if (block.kind == kEndBlock) {
      RETURN_IF_ERROR(CheckEnd(block.payload));
      return counts_;
    }
    if (block.kind == kTaskBlock) {
      ASSIGN_OR_RETURN(const SavepointTask task, ParseTask(block.payload));
      ++counts_.tasks;
      RETURN_IF_ERROR(visitor.OnTask(task));
      continue;
    }
    if (counts_.tasks == 0) return DataLoss("savepoint: state before the first task");
    if (block.kind == kKeysBlock) {
      RETURN_IF_ERROR(VisitKeys(block.payload, visitor));
    } else if (block.kind == kRecordsBlock) {
      RETURN_IF_ERROR(VisitRecords(block.payload, visitor));
    } else {
      return DataLoss(fmt::format("savepoint: a block of kind={}", block.kind));
    }
  }
}

Status SavepointReader::VisitKeys(std::string_view payload, Visitor& visitor) {
  while (!payload.empty()) {
    const auto kind = static_cast<uint8_t>(payload.front());
    payload.remove_prefix(1);
    if (!IsKindOfKey(kind)) return DataLoss(fmt::format("savepoint: a key of kind={}", kind));
    ASSIGN_OR_RETURN(const std::string_view key, TakeText(payload));
    ASSIGN_OR_RETURN(const std::string_view value, TakeText(payload));
    ++counts_.keys;
    RETURN_IF_ERROR(visitor.OnKey(static_cast<ChangelogKind>(kind), key, value));
  }
  return {};
}

Status SavepointReader::VisitRecords(std::string_view payload, Visitor& visitor) {
  while (!payload.empty()) {
    ASSIGN_OR_RETURN(const std::string_view value, TakeText(payload));
    ++counts_.records;
    RETURN_IF_ERROR(visitor.OnRecord(value));
  }
  return {};
}

Status SavepointReader::CheckEnd(std::string_view payload) {
  RecordReader reader(payload);
  SavepointCounts counts;
  counts.tasks = reader.Number<uint64_t>();
  counts.keys = reader.Number<uint64_t>();
  counts.records = reader.Number<uint64_t>();
  if (!reader.AtEnd() || counts != counts_)
    return DataLoss("savepoint: something of it is missing");
  if (!rest().empty()) return DataLoss("savepoint: something stands behind its end");
  ASSIGN_OR_RETURN(const std::string chunk, source_());
  return chunk.empty() ? Status() : DataLoss("savepoint: something stands behind its end");
}

}  // namespace slipstream::runtime
