#include "processor/runtime/shared_time.h"

#include "common/log/log.h"

namespace slipstream::runtime {

SharedTime::SharedTime(const JobContext& context)
    : context_(context),
      is_needed_(context.program->source().idle_timeout_ms.has_value() && context.task_count() > 1),
      log_(log::Get("processor.time")),
      board_(context.task_count()) {}

Status SharedTime::Open() {
  if (!is_needed_) return {};
  ASSIGN_OR_RETURN(
      reader_,
      kafka::PartitionReader::Create(
          {.properties = Join(context_.source_properties, {{"fetch.wait.max.ms", "200"}}),
           .queue_bytes_max = size_t{1} << 20}));
  return reader_->Start({context_.time_topic, 0}, kafka::kOffsetBeginning);
}

Status SharedTime::Poll() {
  if (!is_needed_) return {};
  for (;;) {
    auto batch = reader_->Read(1'000, std::chrono::milliseconds(0));
    for (const kafka::Record& record : batch->records()) {
      if (!record.key || !record.value) continue;
      ASSIGN_OR_RETURN(TimeKey key, ParseTimeKey(*record.key));
      ASSIGN_OR_RETURN(TaskTime time, ParseTaskTime(*record.value));
      board_.Set(key, time);
    }
    // What is still there begins later: from there on, then. Else the reader tries again by itself.
    if (batch->error().code() == Code::kOutOfRange) {
      return reader_->Start({context_.time_topic, 0}, kafka::kOffsetBeginning);
    }
    if (!batch->error().ok()) {
      log_->warn("time_read_failed reason={}", log::Quoted(batch->error().ToString()));
    }
    if (batch->records().empty()) return {};
  }
}

}  // namespace slipstream::runtime
