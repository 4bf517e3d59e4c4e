#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <vector>

#include "common/kafka/producer.h"
#include "common/kafka/types.h"
#include "common/status/status.h"
#include "processor/runtime/task_program.h"

namespace slipstream::processor {

// BatchTopics: the Kafka sinks of a batch. A batch has no position to go on from, so there is
// nothing for a transaction to tie its records to: each record is sent once for as long as this
// process lives, and is visible when it arrives.
// Threads    one at a time.
// Blocking   every call.
class BatchTopics final {
 public:
  // Waits for the brokers and creates topics that are not there. `properties`: the process's own;
  // those of the sinks win.
  static Result<std::unique_ptr<BatchTopics>> Open(const std::vector<runtime::KafkaSinkSpec>& sinks,
                                                   const kafka::Properties& properties,
                                                   std::chrono::milliseconds connect_timeout,
                                                   const std::stop_token& stop);

  Status Send(size_t sink, const runtime::OutputRecord& record);
  // Returns when everything has arrived.
  Status Flush();

 private:
  struct Sink {
    std::unique_ptr<kafka::Producer> producer;
    kafka::Producer::Topic* topic = nullptr;
    int32_t partition = -1;  // of all records; -1: each has its own
  };

  BatchTopics(std::chrono::milliseconds timeout, std::stop_token stop)
      : timeout_(timeout), stop_(std::move(stop)) {}

  const std::chrono::milliseconds timeout_;
  const std::stop_token stop_;
  std::vector<Sink> sinks_;
  std::vector<kafka::Header> headers_;  // of the record at hand
};

}  // namespace slipstream::processor
