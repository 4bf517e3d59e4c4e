#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "producer/app/options.h"
#include "producer/app/run_view.h"
#include "producer/csv/rejected_rows.h"
#include "producer/pipeline/pipeline.h"
#include "producer/pipeline/planted_file.h"
#include "producer/pipeline/progress.h"
#include "producer/pipeline/record.h"
#include "producer/pipeline/record_sink.h"

namespace slipstream::daemon {
class AdminServer;
}

namespace slipstream::producer {

// Session: one run of a command: the sink it was told to use, progress, and the summary at the
// end, all of it on stderr, so that stdout holds messages alone. While it publishes to Kafka it
// is to be seen on its admin port; a dry run has none.
// Threads: one user at a time; the stop token may be triggered from elsewhere.
class Session final {
 public:
  Session(const OutputOptions& options, std::stop_token stop);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Progress& progress() { return progress_; }
  RejectedRows& rejected() { return rejected_; }
  // To be counted up by whoever reads rows, by one for each that was not rejected.
  std::atomic<uint64_t>& rows_read() { return rows_read_; }
  const std::stop_token& stop() const { return stop_; }

  // Opens the admin port and prepares the sink, which may mean to wait for a broker: first of all,
  // so that nobody reads a large file before hearing that there is none.
  Status Connect();

  // After Connect(): sends everything, with the faults asked for, and returns the process's exit
  // code: 0 only if all that was sent is acknowledged.
  int Send(RecordSource& source, uint64_t total);

  // Reports why there will be nothing to send; the exit code for it.
  int Fail(const Status& status);

 private:
  Status OpenAdminPort();
  void Summarise(uint64_t sent, uint64_t acknowledged, double seconds);

  const OutputOptions& options_;
  const std::stop_token stop_;
  const Clock& clock_;
  Progress progress_;
  RejectedRows rejected_;
  std::atomic<uint64_t> rows_read_{0};
  std::unique_ptr<RecordSink> sink_;
  std::unique_ptr<PlantedFile> planted_file_;  // null: none is wanted
  RunView view_;
  std::unique_ptr<daemon::AdminServer> admin_;  // goes first: it shows all of the above
  SteadyTime start_;
};

}  // namespace slipstream::producer
