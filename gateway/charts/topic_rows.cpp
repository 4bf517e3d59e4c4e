#include "gateway/charts/topic_rows.h"

#include <algorithm>
#include <chrono>

#include "common/clock/clock.h"
#include "common/kafka/admin.h"
#include "common/kafka/partition_reader.h"

namespace slipstream::gateway::charts {
namespace {

constexpr std::chrono::milliseconds kAdminTimeout{5'000};
constexpr std::chrono::milliseconds kReadTimeout{500};
constexpr std::chrono::milliseconds kTurnTime{2'000};
constexpr size_t kBatchRecords = 2'000;

}  // namespace

KafkaReads::KafkaReads(kafka::Properties properties) : properties_(std::move(properties)) {}
KafkaReads::~KafkaReads() = default;

Status KafkaReads::Connect() {
  if (properties_.empty()) {
    return Unavailable("topics cannot be read: the gateway has no --brokers");
  }
  if (admin_ == nullptr) {
    ASSIGN_OR_RETURN(
        admin_,
        kafka::Admin::Create(
            {.properties = properties_, .timeout = kAdminTimeout, .logger = "kafka.gateway"}));
  }
  if (reader_ == nullptr) {
    ASSIGN_OR_RETURN(
        reader_,
        kafka::PartitionReader::Create({.properties = properties_, .logger = "kafka.gateway"}));
  }
  return {};
}

Result<int32_t> KafkaReads::PartitionCount(const std::string& topic) {
  RETURN_IF_ERROR(Connect());
  return admin_->PartitionCount(topic);
}

Result<bool> KafkaReads::ReadOn(const std::string& topic,
                                int32_t partition,
                                int64_t newest,
                                size_t records_max,
                                std::optional<int64_t>& next,
                                const Take& take) {
  RETURN_IF_ERROR(Connect());
  const kafka::TopicPartition from{.topic = topic, .partition = partition};
  ASSIGN_OR_RETURN(const kafka::Admin::OffsetRange there, admin_->QueryOffsets(from));
  if (next.has_value() && *next > there.end) {
    return OutOfRange("what was read is gone: there is another topic of that name");
  }
  int64_t at = std::max(next.value_or(there.end - newest), there.begin);
  next = at;
  if (at >= there.end) return true;
  RETURN_IF_ERROR(reader_->Start(from, at));
  size_t records = 0;
  const SteadyTime give_up_at = SystemClock::Get().Now() + kTurnTime;
  // Behind the last record there may be marks of transactions, which are no records: the reader
  // says so by the end that it has seen.
  while (at < there.end && records < records_max && SystemClock::Get().Now() < give_up_at) {
    const auto batch = reader_->Read(std::min(kBatchRecords, records_max - records), kReadTimeout);
    if (!batch->error().ok()) {
      reader_->Stop();
      return batch->error();
    }
    for (const kafka::Record& record : batch->records()) {
      Record taken{.partition = partition,
                   .offset = record.offset,
                   .at_ms = record.timestamp_ms,
                   .key = record.key,
                   .value = record.value};
      for (const kafka::Header& header : record.headers)
        taken.headers.emplace_back(header.name, header.value);
      take(taken);
      at = record.offset + 1;
    }
    records += batch->records().size();
    if (batch->end_offset().has_value()) at = std::max(at, *batch->end_offset());
    next = at;
  }
  reader_->Stop();
  return at >= there.end;
}

Result<RowSource::Progress> TopicRows::ReadOn(const Take& take) {
  ASSIGN_OR_RETURN(const int32_t partitions, reads_.PartitionCount(topic_));
  const int64_t newest = static_cast<int64_t>(ChartRows::kRowsMax) / std::max(partitions, 1);
  Progress progress;
  for (int32_t partition = 0; partition < partitions; ++partition) {
    if (progress.rows >= kTurnRecords) {
      progress.is_at_end = false;
      break;
    }
    const Result<bool> is_at_end =
        reads_.ReadOn(topic_,
                      partition,
                      newest,
                      kTurnRecords - progress.rows,
                      next_[partition],
                      [&](const KafkaReads::Record& record) {
                        ++progress.rows;
                        if (!record.value.has_value()) return;
                        take({.json = *record.value, .at_ms = record.at_ms});
                      });
    if (is_at_end.status().code() == Code::kOutOfRange) {
      next_.clear();
      return Progress{.is_at_end = false, .must_forget = true};
    }
    RETURN_IF_ERROR(is_at_end.status());
    if (!*is_at_end) progress.is_at_end = false;
  }
  return progress;
}

}  // namespace slipstream::gateway::charts
