#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/kafka/transactional_producer.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"

namespace slipstream::runtime {

// TransactionClient: a worker's transactional producer under its one name, made anew whenever the
// old one is of no more use. Its Open fences and ends whatever was left behind under that name.
//
// Threads   the worker's. Blocking  Open, as TransactionalProducer::Init.
class TransactionClient final {
 public:
  TransactionClient(const JobContext& context, std::string transactional_id);

  // Makes it ready. kUnavailable: nothing happened, call again. kInvalidArgument: no producer can
  // be made of the job's properties. Any other error: this one is broken and gone; the next call
  // makes another.
  Status Open(std::chrono::milliseconds attempt_timeout);
  bool is_ready() const { return is_ready_; }
  // It is fenced or broken, or nobody knows what it has done.
  void Discard();

  // While ready.
  kafka::TransactionalProducer& producer() { return *producer_; }
  // Of JobContext::output_topics.
  const std::vector<kafka::TransactionalProducer::Topic*>& topics() const { return topics_; }

 private:
  Status OpenTopics();

  const JobContext& context_;
  const std::string transactional_id_;
  std::unique_ptr<kafka::TransactionalProducer> producer_;
  std::vector<kafka::TransactionalProducer::Topic*> topics_;
  bool is_ready_ = false;
};

}  // namespace slipstream::runtime
