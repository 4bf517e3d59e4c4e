#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "common/kafka/types.h"
#include "common/status/status.h"

namespace slipstream::kafka {

// Producer: sends records, each at least once; with enable.idempotence (our default) exactly once
// for as long as this object lives. acks=all, zstd, partitioner as Java's (murmur2_random).
//
// Threads     thread-safe.
// Blocking    Produce while the queue is full; Flush. Create makes no connection.
// Durability  a record counts as acknowledged when all in-sync replicas have it.
// Errors      a record that could not be delivered is counted, and stored as failure(): nothing
//             is dropped in silence.
class Producer final {
 public:
  struct Options {
    // At least bootstrap.servers; wins over our defaults.
    Properties properties;
    std::string logger = "kafka.producer";
    // Told the tag of every record the broker has acknowledged, from within Produce and Flush, on
    // the thread that called them. Absent: nobody is told.
    std::function<void(int64_t tag)> on_acknowledged;
  };

  struct Counters {
    uint64_t sent = 0;          // accepted by Produce
    uint64_t acknowledged = 0;  // by the broker
    uint64_t failed = 0;        // given up
  };

  static Result<std::unique_ptr<Producer>> Create(Options options);
  ~Producer();  // what is still queued is lost: Flush first
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // A topic to send to, kept with the producer; the same for the same name. It need not exist yet.
  class Topic;
  Result<Topic*> OpenTopic(const std::string& name);

  // Copies and queues the record. While the queue is full it waits for room: that slows the caller
  // down to what the broker takes. Errors: kCancelled (stopped while waiting), kResourceExhausted
  // (larger than message.max.bytes), kNotFound (no such partition), kFailedPrecondition (a fatal
  // error of the idempotent producer; this object is of no more use).
  Status Produce(Topic& topic, const OutgoingRecord& record, const std::stop_token& stop = {});

  // Waits until everything sent is acknowledged or given up. kDeadlineExceeded with what is still
  // open, and why, when `timeout` has passed; may be called again.
  Status Flush(std::chrono::milliseconds timeout);

  Counters counters() const;
  // Why the first undelivered record failed; OK while there is none.
  Status failure() const;
  // The last trouble with a broker, "" if none: what a caller that waits can show.
  std::string last_error() const;

 private:
  struct Impl;
  explicit Producer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::kafka
