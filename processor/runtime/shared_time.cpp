#include "processor/runtime/shared_time.h"

#include <algorithm>

#include "common/log/log.h"

namespace slipstream::runtime {

namespace {

bool HasIdleTasks(const JobContext& context) {
  const std::vector<KafkaSourceSpec>& sources = context.program->sources();
  for (size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].idle_timeout_ms && context.task_count(i) > 1) return true;
  }
  return false;
}

}  // namespace

SharedTime::SharedTime(const JobContext& context)
    : context_(context),
      timed_sinks_(context.shared_timed_sinks()),
      is_needed_(HasIdleTasks(context) || !timed_sinks_.empty()),
      log_(log::Get("processor.time")) {
  for (size_t i = 0; i < context.program->sources().size(); ++i)
    boards_.emplace_back(context.task_count(i));
}

EventTimeUs SharedTime::VisibleTime(size_t sink) const {
  EventTimeUs least = kEndOfTime;
  for (const uint8_t input : context_.sink_inputs[sink]) {
    for (int32_t p = 0; p < context_.inputs[input].partition_count; ++p) {
      const auto found = visible_.find({.input = input, .partition = p});
      least = std::min(least, found == visible_.end() ? kNoWatermark : found->second);
    }
  }
  return least;
}

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
      if (key.input >= context_.inputs.size()) continue;
      const std::optional<size_t> source = context_.inputs[key.input].source;
      if (source) boards_[*source].Set(key, time);
      visible_[key] = time.visible;
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
