#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <vector>

#include "common/kafka/producer.h"
#include "common/kafka/types.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"

namespace slipstream::runtime {

// UnguardedSinks: the job's Kafka sinks that are at-least-once: their records go out at once,
// outside of every transaction, and must have arrived before the input is committed.
// Threads: the worker's.
class UnguardedSinks final {
 public:
  // Makes a producer for each such sink.
  Status Open(const JobContext& context);

  // Copies and queues; waits while the queue is full.
  Status Send(size_t sink, const kafka::OutgoingRecord& record, const std::stop_token& stop);
  // OK when all that was sent has arrived.
  Status Flush(std::chrono::milliseconds timeout);

 private:
  struct Sink {
    std::unique_ptr<kafka::Producer> producer;  // null: the sink is exactly-once
    kafka::Producer::Topic* topic = nullptr;
  };

  std::vector<Sink> sinks_;  // by the program's Kafka sink
};

}  // namespace slipstream::runtime
