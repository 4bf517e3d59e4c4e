#include "producer/pipeline/pipeline.h"

#include <algorithm>

namespace slipstream::producer {
namespace {

// How often a waiting run looks at its stop token and at the clock.
constexpr std::chrono::milliseconds kPollMax{100};
constexpr uint64_t kRecordsPerReport = 256;

class Run final {
 public:
  Run(const PipelineOptions& options,
      RecordSink& sink,
      Pacer& pacer,
      const Clock& clock,
      Progress& progress,
      const std::stop_token& stop)
      : options_(options),
        sink_(sink),
        pacer_(pacer),
        clock_(clock),
        progress_(progress),
        stop_(stop) {}

  // False when the run was interrupted.
  Result<bool> SendAll(RecordSource& source);
  Status Flush();
  uint64_t sent() const { return sent_; }

 private:
  Result<bool> WaitUntil(SteadyTime due);
  Result<bool> Send(const Record& record);
  void Report() {
    progress_.Sending(
        {.sent = sent_, .acknowledged = sink_.acknowledged_count(), .total = options_.total});
  }

  const PipelineOptions& options_;
  RecordSink& sink_;
  Pacer& pacer_;
  const Clock& clock_;
  Progress& progress_;
  const std::stop_token& stop_;
  uint64_t sent_ = 0;
};

Result<bool> Run::WaitUntil(SteadyTime due) {
  while (true) {
    SteadyTime now = clock_.Now();
    if (now >= due) return true;
    if (stop_.stop_requested()) return false;
    auto left = std::chrono::ceil<std::chrono::milliseconds>(due - now);
    RETURN_IF_ERROR(sink_.Poll(std::min(left, kPollMax)));
    Report();
  }
}

Result<bool> Run::Send(const Record& record) {
  while (true) {
    Status sent = sink_.Send(record);
    if (sent.ok()) return true;
    if (sent.code() != Code::kResourceExhausted) return sent;
    if (stop_.stop_requested()) return false;
    Report();
  }
}

Result<bool> Run::SendAll(RecordSource& source) {
  Record record;
  while (options_.limit == 0 || sent_ < options_.limit) {
    if (stop_.stop_requested()) return false;
    ASSIGN_OR_RETURN(bool more, source.Next(record));
    if (!more) break;
    if (pacer_.waits()) {
      SteadyTime due = pacer_.NextDue(record.event_time + record.held_back, clock_.Now());
      ASSIGN_OR_RETURN(bool is_due, WaitUntil(due));
      if (!is_due) return false;
    }
    ASSIGN_OR_RETURN(bool is_sent, Send(record));
    if (!is_sent) return false;
    if (options_.planted_file != nullptr) RETURN_IF_ERROR(options_.planted_file->Add(record));
    if (++sent_ % kRecordsPerReport == 0) {
      Report();
    }
  }
  return true;
}

// In slices, so that the progress goes on. An interrupted run flushes too: what was read and sent
// is to be accounted for; a second signal ends the process if that hangs.
Status Run::Flush() {
  constexpr std::chrono::milliseconds kSlice{200};
  const SteadyTime deadline = clock_.Now() + options_.flush_timeout;
  while (true) {
    Status flushed = sink_.Flush(kSlice);
    if (flushed.ok() || flushed.code() != Code::kDeadlineExceeded) return flushed;
    if (clock_.Now() >= deadline) return flushed;
    Report();
  }
}

}  // namespace

PipelineOutcome RunPipeline(const PipelineOptions& options,
                            RecordSource& source,
                            RecordSink& sink,
                            Pacer& pacer,
                            const Clock& clock,
                            Progress& progress,
                            const std::stop_token& stop) {
  Run run(options, sink, pacer, clock, progress, stop);
  PipelineOutcome outcome;
  Result<bool> completed = run.SendAll(source);
  outcome.status = completed.status();
  outcome.is_interrupted = completed.ok() && !*completed;
  Status flushed = run.Flush();
  if (outcome.status.ok()) outcome.status = flushed;
  if (options.planted_file != nullptr) {
    Status written = options.planted_file->Write();
    if (outcome.status.ok()) outcome.status = written;
  }
  outcome.sent = run.sent();
  return outcome;
}

}  // namespace slipstream::producer
