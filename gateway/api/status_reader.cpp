#include "gateway/api/status_reader.h"

#include <chrono>
#include <memory>

#include "common/clock/sleep.h"
#include "common/kafka/admin.h"
#include "common/kafka/partition_reader.h"

namespace slipstream::gateway::api {
namespace {

constexpr char kTopic[] = "slipstream-status";  // of one partition: a record a second is little
constexpr std::chrono::milliseconds kPause{2'000};
constexpr std::chrono::milliseconds kReadTimeout{500};
constexpr std::chrono::milliseconds kAdminTimeout{5'000};
constexpr size_t kRecordsMax = 1'000;

// From the beginning, which is short: the topic is compacted.
Status ReadOn(const kafka::Properties& properties, StateBoard& board, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(
      const auto admin,
      kafka::Admin::Create(
          {.properties = properties, .timeout = kAdminTimeout, .logger = "kafka.gateway"}));
  RETURN_IF_ERROR(admin->PartitionCount(kTopic).status());
  ASSIGN_OR_RETURN(
      const auto reader,
      kafka::PartitionReader::Create({.properties = properties, .logger = "kafka.gateway"}));
  RETURN_IF_ERROR(reader->Start({.topic = kTopic, .partition = 0}, kafka::kOffsetBeginning));
  while (!stop.stop_requested()) {
    const auto batch = reader->Read(kRecordsMax, kReadTimeout);
    RETURN_IF_ERROR(batch->error());
    for (const kafka::Record& record : batch->records()) {
      if (record.key.has_value()) board.Apply(*record.key, record.value);
    }
    if (batch->end_offset().has_value()) board.SetJobsHealth({});
  }
  return {};
}

}  // namespace

void ReadStatuses(const kafka::Properties& properties,
                  StateBoard& board,
                  const std::stop_token& stop) {
  do {
    const Status status = ReadOn(properties, board, stop);
    if (!status.ok()) board.SetJobsHealth(status);
  } while (SleepUnlessStopped(kPause, stop));
}

}  // namespace slipstream::gateway::api
