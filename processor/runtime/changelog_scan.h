#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "common/kafka/partition_reader.h"
#include "common/status/status.h"
#include "processor/state/job_record.h"

namespace slipstream::runtime {

// Calls `visit` for the committed records of the partition from `offset` on, until it says false or
// they end. Where they ended; none: visit wanted no more.
// Blocking  as long as reading takes.
// Errors    visit's, with the partition's name; the reader's; kUnavailable (no answer), kCancelled.
Result<std::optional<int64_t>> ScanPartition(
    kafka::PartitionReader& reader,
    const kafka::TopicPartition& partition,
    int64_t offset,
    const std::stop_token& stop,
    const std::function<Result<bool>(const kafka::Record& record)>& visit);

// The record of a job, which stands in the first partition of its first stage's changelog.
struct JobLookup {
  std::optional<JobRecord> job;
  int64_t end = 0;  // without a job: where the committed records end
};
Result<JobLookup> FindJob(kafka::PartitionReader& reader,
                          const std::string& changelog_topic,
                          const std::stop_token& stop);

}  // namespace slipstream::runtime
