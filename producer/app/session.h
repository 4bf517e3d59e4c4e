#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "producer/app/options.h"
#include "producer/csv/rejected_rows.h"
#include "producer/pipeline/pipeline.h"
#include "producer/pipeline/progress.h"
#include "producer/pipeline/record.h"
#include "producer/pipeline/record_sink.h"

namespace slipstream::producer {

// Session: one run of a command: the sink it was told to use, progress, and the summary at the
// end, all of it on stderr, so that stdout holds messages alone.
// Threads: one user at a time; the stop token may be triggered from elsewhere.
class Session final {
 public:
  Session(const OutputOptions& options, std::stop_token stop);

  Progress& progress() { return progress_; }
  RejectedRows& rejected() { return rejected_; }
  const std::stop_token& stop() const { return stop_; }

  // Prepares the sink, which may mean to wait for a broker: first of all, so that nobody reads a
  // large file before hearing that there is none.
  Status Connect();

  // After Connect(): sends everything and returns the process's exit code: 0 only if all that was
  // sent is acknowledged. `read_count` is asked at the end, for the summary.
  int Send(RecordSource& source, uint64_t total, const std::function<uint64_t()>& read_count);

  // Reports why there will be nothing to send; the exit code for it.
  int Fail(const Status& status);

 private:
  void Summarise(uint64_t read, uint64_t sent, uint64_t acknowledged, double seconds);

  const OutputOptions& options_;
  const std::stop_token stop_;
  const Clock& clock_;
  Progress progress_;
  RejectedRows rejected_;
  std::unique_ptr<RecordSink> sink_;
  SteadyTime start_;
};

}  // namespace slipstream::producer
