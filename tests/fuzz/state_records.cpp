#include <string>
#include <string_view>
#include <vector>

#include "common/check/check.h"
#include "common/crc32c/crc32c.h"
#include "processor/runtime/repartition_record.h"
#include "processor/state/changelog.h"
#include "processor/state/encoding.h"
#include "processor/state/job_record.h"
#include "processor/state/mark.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"

// The runtime's records of changelogs and repartition topics from any bytes: refused, or read, and
// then they are the very bytes that would be written. A mark's checksum is made right first if a
// bit of the input says so.

namespace slipstream::fuzz {
namespace {

enum Kind : uint8_t {
  kKey,
  kMark,
  kMarkWithRightCrc,
  kJobRecord,
  kOffsetMetadata,
  kRepartition,
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

void Run(std::string_view input) {
  InputReader reader(input);
  switch (reader.Byte() % kKinds) {
    case kKey:
      return CheckKey(reader.Rest());
    case kRepartition:
      return CheckRepartition(reader.Rest());
    case kMark:
      return CheckMark(reader.Rest());
    case kMarkWithRightCrc:
      return CheckMarkWithRightCrc(reader.Rest());
    case kJobRecord:
      return CheckJobRecord(reader.Rest());
    default:
      return CheckOffsetMetadata(reader.Rest());
  }
}

std::vector<std::string> Seeds() {
  runtime::Mark mark{.pair = {.epoch = 5, .incarnation = 2}, .is_done = true};
  mark.fingerprint = "plan";
  mark.open_files.push_back({.partition_path = "a=1/", .path = "/f", .inode_id = 7});
  const runtime::JobRecord job{.uuid = "u", .inputs = {{.topic = "t", .ends = {-1, 7}}}};
  const auto input = [](Kind kind, const std::string& bytes) {
    return static_cast<char>(kind) + bytes;
  };
  return {
      input(kKey, runtime::EncodeChangelogKey({.kind = runtime::ChangelogKind::kJob})),
      input(kKey, runtime::EncodeChangelogKey({.kind = runtime::ChangelogKind::kMark})),
      input(kKey, runtime::EncodeChangelogKey({.input = 1, .state_key = "key"})),
      input(kMark, runtime::EncodeMark(mark)),
      input(kMarkWithRightCrc, runtime::EncodeMark(mark)),
      input(kJobRecord, runtime::EncodeJobRecord(job)),
      input(kOffsetMetadata, runtime::EncodeOffsetMetadata({.pair = mark.pair, .is_done = true}))};
}

}  // namespace

const Target kStateRecords{.name = "state_records", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
