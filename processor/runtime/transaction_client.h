#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "common/kafka/transactional_producer.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"

namespace slipstream::runtime {

// TransactionClient: a worker's transactional producer under its one name, made anew whenever the
// old one is of no more use. Its Open fences and ends whatever was left behind under that name.
//
// A transaction's timeout is how long others wait when its producer dies in it and is not started
// again: readers of the results for what comes after, the next owner of the partitions for their
// offsets. So it is short at first. A transaction that comes near it (the last windows of much
// data, a slow broker) gives the producers after it four times as long, up to what brokers allow by
// default. Nothing else rests on it: it is the next producer's Open that fences this one.
// Threads   the worker's. Blocking  Open, as TransactionalProducer::Init.
class TransactionClient final {
 public:
  static constexpr std::chrono::milliseconds kTimeoutMax{900'000};  // transaction.max.timeout.ms

  // `while_waiting`: see TransactionalProducer::Options.
  TransactionClient(const JobContext& context,
                    std::string transactional_id,
                    std::function<void()> while_waiting);

  // Makes it ready. kUnavailable: nothing happened, call again. kInvalidArgument: no producer can
  // be made of the job's properties. Any other error: this one is broken and gone; the next call
  // makes another.
  Status Open(std::chrono::milliseconds attempt_timeout);
  bool is_ready() const { return is_ready_; }
  // It is fenced or broken, or nobody knows what it has done.
  void Discard();

  // A transaction is over, well or not. True if it ran for nearly all of its timeout: that may be
  // why it failed, and the next producer will give it longer, if brokers allow more.
  bool OnTransactionOver(std::chrono::milliseconds elapsed);
  // What the producer at hand, or else the next, gives a transaction.
  std::chrono::milliseconds timeout() const {
    return producer_ == nullptr ? next_timeout_ : timeout_;
  }

  // While ready.
  kafka::TransactionalProducer& producer() { return *producer_; }
  // Of JobContext::output_topics.
  const std::vector<kafka::TransactionalProducer::Topic*>& topics() const { return topics_; }

 private:
  Status OpenTopics();

  const JobContext& context_;
  const std::string transactional_id_;
  const std::function<void()> while_waiting_;
  const std::shared_ptr<spdlog::logger> log_;
  std::chrono::milliseconds timeout_;       // of the producer at hand, or the last one
  std::chrono::milliseconds next_timeout_;  // of producers to come
  std::chrono::milliseconds timeout_max_ = kTimeoutMax;
  std::unique_ptr<kafka::TransactionalProducer> producer_;
  std::vector<kafka::TransactionalProducer::Topic*> topics_;
  bool is_ready_ = false;
};

}  // namespace slipstream::runtime
