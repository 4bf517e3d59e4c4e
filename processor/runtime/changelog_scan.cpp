#include "processor/runtime/changelog_scan.h"

#include <chrono>

#include "processor/state/changelog.h"

namespace slipstream::runtime {
namespace {

constexpr std::chrono::milliseconds kReadTimeout{5'000};
constexpr size_t kReadRecordsMax = 10'000;

}  // namespace

Result<std::optional<int64_t>> ScanPartition(
    kafka::PartitionReader& reader,
    const kafka::TopicPartition& partition,
    int64_t offset,
    const std::stop_token& stop,
    const std::function<Result<bool>(const kafka::Record& record)>& visit) {
  RETURN_IF_ERROR(reader.Start(partition, offset));
  for (;;) {
    if (stop.stop_requested()) return Cancelled("reading " + kafka::ToString(partition));
    const auto batch = reader.Read(kReadRecordsMax, kReadTimeout);
    RETURN_IF_ERROR(batch->error());
    for (const kafka::Record& record : batch->records()) {
      const Result<bool> goes_on = visit(record);
      if (!goes_on.ok()) return goes_on.status().WithContext(kafka::ToString(partition));
      if (!*goes_on) return std::optional<int64_t>();
    }
    if (batch->end_offset()) return batch->end_offset();
    if (batch->empty()) return Unavailable("no answer from " + kafka::ToString(partition));
  }
}

Result<JobLookup> FindJob(kafka::PartitionReader& reader,
                          const std::string& changelog_topic,
                          const std::stop_token& stop) {
  JobLookup found;
  ASSIGN_OR_RETURN(const std::optional<int64_t> end,
                   ScanPartition(reader,
                                 {changelog_topic, 0},
                                 kafka::kOffsetBeginning,
                                 stop,
                                 [&found](const kafka::Record& record) -> Result<bool> {
                                   if (!record.key || !record.value) return true;
                                   ASSIGN_OR_RETURN(const ChangelogKey key,
                                                    ParseChangelogKey(*record.key));
                                   if (key.kind != ChangelogKind::kJob || key.input != 0)
                                     return true;
                                   ASSIGN_OR_RETURN(found.job, ParseJobRecord(*record.value));
                                   return false;
                                 }));
  found.end = end.value_or(0);
  return found;
}

}  // namespace slipstream::runtime
