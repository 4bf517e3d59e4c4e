#include <string>
#include <string_view>
#include <vector>

#include "common/check/check.h"
#include "common/crc32c/crc32c.h"
#include "processor/runtime/repartition_record.h"
#include "processor/runtime/time_board.h"
#include "processor/savepoint/savepoint_codec.h"
#include "processor/state/changelog.h"
#include "processor/state/encoding.h"
#include "processor/state/job_record.h"
#include "processor/state/mark.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"

// The runtime's records of changelogs and repartition topics from any bytes: refused, or read, and
// then they are the very bytes that would be written. A mark's checksum is made right first if a
// bit of the input says so. Savepoints: refused, or read whole; those with right checksums are made
// of the input's blocks.

namespace slipstream::fuzz {
namespace {

enum Kind : uint8_t {
  kKey,
  kMark,
  kMarkWithRightCrc,
  kJobRecord,
  kOffsetMetadata,
  kRepartition,
  kSavepoint,
  kSavepointBlocks,
  kTime,
  kKinds
};

constexpr size_t kCrcBytes = 4;

void CheckKey(std::string_view bytes) {
  const auto key = runtime::ParseChangelogKey(bytes);
  if (key.ok()) SLIPSTREAM_CHECK(runtime::EncodeChangelogKey(*key) == bytes, "a second spelling");
}

void CheckMark(std::string_view bytes) {
  const auto mark = runtime::ParseMark(bytes);
  if (mark.ok()) SLIPSTREAM_CHECK(runtime::EncodeMark(*mark) == bytes, "a second spelling");
}

void CheckMarkWithRightCrc(std::string_view bytes) {
  if (bytes.size() < kCrcBytes) return;
  runtime::RecordWriter writer;
  std::string right(bytes.substr(0, bytes.size() - kCrcBytes));
  writer.Number(Crc32c(right));
  CheckMark(right + writer.bytes());
}

void CheckJobRecord(std::string_view bytes) {
  const auto record = runtime::ParseJobRecord(bytes);
  if (record.ok()) {
    SLIPSTREAM_CHECK(runtime::EncodeJobRecord(*record) == bytes, "a second spelling");
  }
}

void CheckOffsetMetadata(std::string_view text) {
  const auto metadata = runtime::ParseOffsetMetadata(text);
  if (metadata.ok()) {
    SLIPSTREAM_CHECK(runtime::EncodeOffsetMetadata(*metadata) == text, "a second spelling");
  }
}

// A key and a value of the topic of shared time.
void CheckTime(std::string_view bytes) {
  const auto key = runtime::ParseTimeKey(bytes);
  if (key.ok()) SLIPSTREAM_CHECK(runtime::EncodeTimeKey(*key) == bytes, "a second spelling");
  const auto time = runtime::ParseTaskTime(bytes);
  if (time.ok()) SLIPSTREAM_CHECK(runtime::EncodeTaskTime(*time) == bytes, "a second spelling");
}

void CheckRepartition(std::string_view bytes) {
  const auto record = runtime::ParseRepartitionRecord(bytes);
  if (!record.ok()) return;
  std::string again = runtime::EncodeSenderMarks(record->marks);
  if (record->marks.empty()) {
    again = runtime::BeginRows(record->exchange, record->sender);
    for (const std::string_view row : record->rows)
      runtime::AppendRow(again, row);
  }
  SLIPSTREAM_CHECK(again == bytes, "a second spelling");
}

// Writes again what it is shown.
class Copier final : public runtime::SavepointReader::Visitor {
 public:
  explicit Copier(runtime::SavepointWriter& writer) : writer_(writer) {}

  Status OnTask(const runtime::SavepointTask& task) override { return writer_.BeginTask(task); }
  Status OnKey(runtime::ChangelogKind kind, std::string_view key, std::string_view value) override {
    return writer_.AddKey(kind, key, value);
  }
  Status OnRecord(std::string_view value) override { return writer_.AddRecord(value); }

 private:
  runtime::SavepointWriter& writer_;
};

runtime::SavepointReader::Source InOneChunk(std::string bytes) {
  return [bytes = std::move(bytes)]() mutable {
    return Result<std::string>(std::exchange(bytes, {}));
  };
}

// Reads a savepoint and writes what was in it; empty if it is refused.
std::string Copy(const std::string& bytes) {
  std::string copy;
  runtime::SavepointWriter writer([&copy](std::string_view more) {
    copy += more;
    return Status();
  });
  runtime::SavepointReader reader(InOneChunk(bytes));
  const auto header = reader.ReadHeader();
  if (!header.ok() || !writer.Begin(*header).ok()) return {};
  Copier copier(writer);
  const auto counts = reader.ReadTasks(copier);
  if (!counts.ok() || !writer.End().ok()) return {};
  SLIPSTREAM_CHECK(*counts == writer.counts(), "counts differ");
  return copy;
}

void CheckSavepoint(const std::string& bytes) {
  const std::string copy = Copy(bytes);
  // Blocks may be cut elsewhere; a copy's are where the writer cuts them.
  if (!copy.empty()) SLIPSTREAM_CHECK(Copy(copy) == copy, "a second spelling");
}

// Of each block its kind, its length in two bytes, and its payload.
void CheckSavepointBlocks(InputReader& reader) {
  std::string bytes("SLIPSAVE\1", 9);
  for (int block = 0; block < 64 && !reader.is_empty(); ++block) {
    runtime::RecordWriter writer;
    writer.Number(reader.Byte());
    writer.Text(reader.Bytes(reader.Take<uint16_t>()));
    bytes += writer.bytes();
    runtime::RecordWriter checksum;
    checksum.Number(Crc32c(writer.bytes()));
    bytes += checksum.bytes();
  }
  CheckSavepoint(bytes);
}

void Run(std::string_view input) {
  InputReader reader(input);
  switch (reader.Byte() % kKinds) {
    case kKey:
      return CheckKey(reader.Rest());
    case kRepartition:
      return CheckRepartition(reader.Rest());
    case kTime:
      return CheckTime(reader.Rest());
    case kMark:
      return CheckMark(reader.Rest());
    case kMarkWithRightCrc:
      return CheckMarkWithRightCrc(reader.Rest());
    case kJobRecord:
      return CheckJobRecord(reader.Rest());
    case kSavepoint:
      return CheckSavepoint(std::string(reader.Rest()));
    case kSavepointBlocks:
      return CheckSavepointBlocks(reader);
    default:
      return CheckOffsetMetadata(reader.Rest());
  }
}

// Of a task with a key and a record, and of a stage's that has never committed.
std::string Savepoint(const runtime::JobRecord& job, const runtime::Mark& mark) {
  std::string bytes;
  runtime::SavepointWriter writer([&bytes](std::string_view more) {
    bytes += more;
    return Status();
  });
  const runtime::SavepointTask task{.partition = 1, .mark = mark};
  const runtime::SavepointTask stage{.stage = 1, .input = 1, .mark = {}};
  SLIPSTREAM_CHECK(writer.Begin({.id = "i", .job_name = "j", .job = job}).ok(), "begin");
  SLIPSTREAM_CHECK(writer.BeginTask(task).ok(), "task");
  SLIPSTREAM_CHECK(writer.AddKey(runtime::ChangelogKind::kState, "k", "v").ok(), "key");
  SLIPSTREAM_CHECK(writer.BeginTask(stage).ok(), "task");
  SLIPSTREAM_CHECK(writer.AddRecord("row").ok(), "record");
  SLIPSTREAM_CHECK(writer.End().ok(), "end");
  return bytes;
}

// The same as the input of kSavepointBlocks: shorter lengths, and no checksums.
std::string BlocksOf(std::string_view savepoint) {
  constexpr size_t kMagicBytes = 9;
  savepoint.remove_prefix(kMagicBytes);
  std::string blocks;
  while (!savepoint.empty()) {
    runtime::RecordReader reader(savepoint);
    runtime::RecordWriter writer;
    writer.Number(reader.Number<uint8_t>());
    const auto length = reader.Number<uint32_t>();
    writer.Number(static_cast<uint16_t>(length));
    constexpr size_t kPrefixBytes = 5;
    blocks += writer.bytes();
    blocks += savepoint.substr(kPrefixBytes, length);
    savepoint.remove_prefix(kPrefixBytes + length + kCrcBytes);
  }
  return blocks;
}

std::vector<std::string> Seeds() {
  runtime::Mark mark{.pair = {.epoch = 5, .incarnation = 2}, .is_done = true};
  mark.fingerprint = "plan";
  mark.open_files.push_back({.partition_path = "a=1/", .path = "/f", .inode_id = 7});
  const runtime::JobRecord job{.uuid = "u", .inputs = {{.topic = "t", .ends = {-1, 7}}}};
  const std::string savepoint = Savepoint(job, mark);
  runtime::Mark waiting = mark;  // for success files
  waiting.open_partitions = {{.sink = 1, .partition_path = "a=1/", .since_ms = 7}};
  const auto input = [](Kind kind, const std::string& bytes) {
    return static_cast<char>(kind) + bytes;
  };
  return {
      input(kKey, runtime::EncodeChangelogKey({.kind = runtime::ChangelogKind::kJob})),
      input(kKey, runtime::EncodeChangelogKey({.kind = runtime::ChangelogKind::kMark})),
      input(kKey, runtime::EncodeChangelogKey({.input = 1, .state_key = "key"})),
      input(kMark, runtime::EncodeMark(mark)),
      input(kMarkWithRightCrc, runtime::EncodeMark(mark)),
      input(kMarkWithRightCrc, runtime::EncodeMark(waiting)),
      input(kTime, runtime::EncodeTimeKey({.input = 1, .partition = 2})),
      input(kTime, runtime::EncodeTaskTime({.watermark = 5, .is_idle = true})),
      input(kTime, runtime::EncodeTaskTime({.watermark = 5, .visible = 4})),
      input(kJobRecord, runtime::EncodeJobRecord(job)),
      input(kSavepoint, savepoint),
      input(kSavepointBlocks, BlocksOf(savepoint)),
      input(kOffsetMetadata, runtime::EncodeOffsetMetadata({.pair = mark.pair, .is_done = true}))};
}

}  // namespace

const Target kStateRecords{.name = "state_records", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
