#include "processor/state/job_record.h"

#include <random>

#include <fmt/format.h>

#include "processor/state/encoding.h"

namespace slipstream::runtime {
namespace {

constexpr uint8_t kJobRecordVersion = 1;
constexpr uint8_t kSeededVersion = 2;  // with the id of a savepoint at its end
constexpr uint32_t kInputsMax = 256;
constexpr uint32_t kPartitionsMax = 100'000;

}  // namespace

std::string EncodeJobRecord(const JobRecord& record) {
  RecordWriter writer;
  writer.Number(record.savepoint.empty() ? kJobRecordVersion : kSeededVersion);
  writer.Text(record.uuid);
  writer.Number(static_cast<uint32_t>(record.inputs.size()));
  for (const JobRecord::Input& input : record.inputs) {
    writer.Text(input.topic);
    writer.Number(static_cast<uint32_t>(input.ends.size()));
    for (int64_t end : input.ends)
      writer.Number(end);
  }
  if (!record.savepoint.empty()) writer.Text(record.savepoint);
  return writer.Take();
}

Result<JobRecord> ParseJobRecord(std::string_view bytes) {
  RecordReader reader(bytes);
  const auto version = reader.Number<uint8_t>();
  if (version != kJobRecordVersion && version != kSeededVersion) {
    return DataLoss(fmt::format("job record: version={} known={}", version, kSeededVersion));
  }
  JobRecord record;
  record.uuid = reader.Text();
  const auto input_count = reader.Number<uint32_t>();
  if (input_count > kInputsMax) return DataLoss("job record: too many inputs");
  for (uint32_t i = 0; i < input_count; ++i) {
    JobRecord::Input& input = record.inputs.emplace_back();
    input.topic = reader.Text();
    const auto partition_count = reader.Number<uint32_t>();
    if (partition_count > kPartitionsMax) return DataLoss("job record: too many partitions");
    if (reader.rest_bytes() < partition_count * sizeof(int64_t)) {
      return DataLoss("job record: cut short");
    }
    for (uint32_t p = 0; p < partition_count; ++p)
      input.ends.push_back(reader.Number<int64_t>());
  }
  if (version == kSeededVersion) record.savepoint = reader.Text();
  if (!reader.AtEnd() || record.uuid.empty() ||
      record.savepoint.empty() != (version == kJobRecordVersion)) {
    return DataLoss("job record: length differs");
  }
  return record;
}

std::string MintUuid() {
  std::random_device random;
  auto next = [&random] { return (uint64_t{random()} << 32) | random(); };
  const uint64_t high = (next() & ~uint64_t{0xf000}) | 0x4000;
  const uint64_t low = (next() & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                     high >> 32,
                     (high >> 16) & 0xffff,
                     high & 0xffff,
                     low >> 48,
                     low & 0xffffffffffff);
}

}  // namespace slipstream::runtime
