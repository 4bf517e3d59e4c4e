#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "producer/csv/rejected_rows.h"
#include "producer/pipeline/record_sink.h"

namespace slipstream::producer {

// RunView: a run as the admin port shows it: metrics, readiness, status.
//
// The admin port is open before Kafka is reached; until Show is called the view is of a run that
// waits.
// Ownership  borrows the counter, the rejected rows and the sink, which must outlive it.
// Threads    thread-safe; of what it borrows it calls only what any thread may.
class RunView final : public prometheus::Collectable {
 public:
  // `rows_read` counts the rows that were read and not rejected.
  RunView(const std::atomic<uint64_t>& rows_read, const RejectedRows& rejected);

  // What the run waits for, for people: "kafka: …".
  void WaitFor(std::string reason);
  // From now on the run is ready, and `sink` is where its messages go.
  void Show(const RecordSink& sink);

  std::vector<prometheus::MetricFamily> Collect() const override;
  // kUnavailable with what is waited for until Show was called.
  Status Ready() const;
  std::string StatusJson() const;

 private:
  struct Counts {
    uint64_t read = 0;
    uint64_t skipped = 0;
    uint64_t sent = 0;
    uint64_t acknowledged = 0;
    uint64_t failed = 0;
  };
  Counts Count() const;

  const std::atomic<uint64_t>& rows_read_;
  const RejectedRows& rejected_;
  mutable Mutex mutex_;
  std::string waiting_for_ GUARDED_BY(mutex_) = "kafka";
  const RecordSink* sink_ GUARDED_BY(mutex_) = nullptr;
};

}  // namespace slipstream::producer
