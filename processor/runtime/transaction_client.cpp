#include "processor/runtime/transaction_client.h"

#include <utility>

namespace slipstream::runtime {

TransactionClient::TransactionClient(const JobContext& context, std::string transactional_id)
    : context_(context), transactional_id_(std::move(transactional_id)) {}

Status TransactionClient::Open(std::chrono::milliseconds attempt_timeout) {
  if (producer_ == nullptr) {
    ASSIGN_OR_RETURN(producer_,
                     kafka::TransactionalProducer::Create(
                         {.properties = context_.source_properties,
                          .transactional_id = transactional_id_,
                          .transaction_timeout = context_.options.session_timeout}));
  }
  Status status = producer_->Init(attempt_timeout);
  if (status.code() == Code::kUnavailable) return status;
  if (status.ok()) status = OpenTopics();
  if (!status.ok()) {
    Discard();
    return status;
  }
  is_ready_ = true;
  return {};
}

Status TransactionClient::OpenTopics() {
  topics_.clear();
  for (const std::string& topic : context_.output_topics) {
    ASSIGN_OR_RETURN(topics_.emplace_back(), producer_->OpenTopic(topic));
  }
  return {};
}

void TransactionClient::Discard() {
  topics_.clear();
  producer_.reset();
  is_ready_ = false;
}

}  // namespace slipstream::runtime
