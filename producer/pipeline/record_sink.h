#pragma once

#include <chrono>
#include <cstdint>

#include "common/status/status.h"
#include "producer/pipeline/record.h"

namespace slipstream::producer {

// RecordSink: where messages go. Every sink counts what has arrived for good.
// Threads: one user at a time; the counts may be asked for from any thread.
class RecordSink {
 public:
  virtual ~RecordSink() = default;

  // Takes the record, whose views are not needed afterwards; it leaves soon. Blocks for a moment
  // while there is no room; kResourceExhausted means that there still is none, so the same call
  // again. Any other error is final.
  virtual Status Send(const Record& record) = 0;

  // Lets `timeout` pass, in which what was sent goes on its way and arrivals are counted.
  virtual Status Poll(std::chrono::milliseconds timeout) = 0;

  // Waits until everything sent has arrived; kDeadlineExceeded if it has not within `timeout`
  // (another call may wait on), any other error if it never will.
  virtual Status Flush(std::chrono::milliseconds timeout) = 0;

  virtual uint64_t sent_count() const = 0;          // taken by Send()
  virtual uint64_t acknowledged_count() const = 0;  // of them, arrived for good
  virtual uint64_t failed_count() const = 0;        // of them, given up
};

}  // namespace slipstream::producer
