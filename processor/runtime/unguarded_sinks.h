#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
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

  // Copies and queues; waits while the queue is full. kAborted: the sink has failed for good, and
  // takes records again after RenewFailed; what was sent since the last commit must be sent anew.
  Status Send(size_t sink, const kafka::OutgoingRecord& record, const std::stop_token& stop);
  // OK when all that was sent has arrived.
  Status Flush(std::chrono::milliseconds timeout);

  // A producer that has lost a record says so for ever. Whoever begins again from the last commit,
  // which sends that record again, begins with new ones.
  Status RenewFailed();

 private:
  struct Sink {
    kafka::Properties properties;
    std::string topic_name;
    std::unique_ptr<kafka::Producer> producer;  // null: the sink is exactly-once
    kafka::Producer::Topic* topic = nullptr;
    bool is_broken = false;

    Status MakeProducer();
  };

  std::vector<Sink> sinks_;  // by the program's Kafka sink
};

}  // namespace slipstream::runtime
