#include "processor/runtime/transaction_client.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

constexpr int kTimeoutGrowth = 4;

}  // namespace

TransactionClient::TransactionClient(const JobContext& context,
                                     std::string transactional_id,
                                     std::function<void()> while_waiting)
    : context_(context),
      transactional_id_(std::move(transactional_id)),
      while_waiting_(std::move(while_waiting)),
      log_(log::Get("processor.transactions")),
      timeout_(context.options.session_timeout),
      next_timeout_(timeout_) {}

Status TransactionClient::Open(milliseconds attempt_timeout) {
  if (producer_ == nullptr) {
    ASSIGN_OR_RETURN(producer_,
                     kafka::TransactionalProducer::Create({.properties = context_.source_properties,
                                                           .transactional_id = transactional_id_,
                                                           .transaction_timeout = next_timeout_,
                                                           .while_waiting = while_waiting_}));
  }
  Status status = producer_->Init(attempt_timeout);
  if (status.code() == Code::kUnavailable) return status;
  if (status.code() == Code::kOutOfRange && next_timeout_ > timeout_) {
    // These brokers have been set to less. The last producer's was taken.
    timeout_max_ = timeout_;
    next_timeout_ = timeout_;
    Discard();
    return Unavailable(status.message());
  }
  if (status.ok()) status = OpenTopics();
  if (!status.ok()) {
    Discard();
    return status;
  }
  timeout_ = next_timeout_;
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

bool TransactionClient::OnTransactionOver(milliseconds elapsed) {
  // A record that was on its way for the whole timeout fails before the transaction does; nothing
  // else takes nearly so long.
  if (elapsed < timeout_ * 9 / 10) return false;
  const milliseconds longer = std::min(timeout_ * kTimeoutGrowth, timeout_max_);
  log_->warn("transaction_was_long worker={} elapsed_ms={} timeout_ms={} next_timeout_ms={}",
             transactional_id_,
             elapsed.count(),
             timeout_.count(),
             longer.count());
  next_timeout_ = longer;
  return true;
}

}  // namespace slipstream::runtime
