#include "common/kafka/transactional_producer.h"

#include <cstring>

#include <fmt/format.h>

#include "common/kafka/send.h"

namespace slipstream::kafka {

class TransactionalProducer::Topic {};

struct TransactionalProducer::Impl final : ClientEvents {
  using ClientEvents::ClientEvents;
  std::string id;
  std::function<void()> while_waiting;
  Holder<rd_kafka_t> client;
  TopicTable topics;
};

namespace {

// Bounds the calls below that librdkafka lets time out and take up again.
constexpr int kAttemptsMax = 4;
constexpr int kRoomWaitMs = 20;
constexpr int kFlushWaitMs = 200;

// The status for a failed call inside a transaction, by what has to be done about it.
Status Classify(const rd_kafka_error_t& error, std::string_view context) {
  Status status = FromError(error, context);
  if (rd_kafka_error_is_fatal(&error) != 0) return FailedPrecondition(status.message());
  if (rd_kafka_error_txn_requires_abort(&error) != 0) return Aborted(status.message());
  if (rd_kafka_error_is_retriable(&error) != 0) return Unavailable(status.message());
  // Neither: a call in a state that does not allow it. Only a new producer leads out of that.
  return FailedPrecondition(status.message());
}

}  // namespace

TransactionalProducer::TransactionalProducer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TransactionalProducer::~TransactionalProducer() {
  rd_kafka_purge(impl_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  impl_->topics.Clear();
}

Result<std::unique_ptr<TransactionalProducer>> TransactionalProducer::Create(Options options) {
  auto impl = std::make_unique<Impl>(options.logger);
  impl->id = options.transactional_id;
  impl->while_waiting = std::move(options.while_waiting);
  Properties properties = options.properties;
  // Not for users to change: the protocol stands on them.
  properties.emplace_back("transactional.id", options.transactional_id);
  properties.emplace_back("transaction.timeout.ms",
                          std::to_string(options.transaction_timeout.count()));
  properties.emplace_back("enable.idempotence", "true");
  // Records are handed over all at once and flushed by the commit, which does not wait for it.
  properties.emplace_back("linger.ms", "1");
  ASSIGN_OR_RETURN(Holder<rd_kafka_conf_t> conf, MakeConf(ProducerDefaults(), properties, *impl));
  ASSIGN_OR_RETURN(impl->client, MakeClient(RD_KAFKA_PRODUCER, std::move(conf)));
  return std::unique_ptr<TransactionalProducer>(new TransactionalProducer(std::move(impl)));
}

Status TransactionalProducer::Init(std::chrono::milliseconds timeout) {
  Holder<rd_kafka_error_t> error(
      rd_kafka_init_transactions(impl_->client.get(), ToTimeoutMs(timeout)));
  if (error == nullptr) return {};
  Status status = Classify(*error, "init_transactions id=" + impl_->id);
  if (rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT) {
    return OutOfRange(status.message());
  }
  return status;
}

Status TransactionalProducer::Begin() {
  Holder<rd_kafka_error_t> error(rd_kafka_begin_transaction(impl_->client.get()));
  if (error == nullptr) return {};
  return Classify(*error, "begin_transaction");
}

Result<TransactionalProducer::Topic*> TransactionalProducer::OpenTopic(const std::string& name) {
  ASSIGN_OR_RETURN(rd_kafka_topic_t * topic, impl_->topics.Open(impl_->client.get(), name));
  return static_cast<Topic*>(static_cast<void*>(topic));
}

Status TransactionalProducer::Produce(Topic& topic, const OutgoingRecord& record) {
  rd_kafka_topic_t* raw = static_cast<rd_kafka_topic_t*>(static_cast<void*>(&topic));
  for (;;) {
    rd_kafka_resp_err_t error = Enqueue(impl_->client.get(), raw, record);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      // Ends by itself: a record that is not delivered within the transaction's timeout fails.
      rd_kafka_poll(impl_->client.get(), kRoomWaitMs);
      impl_->while_waiting();
      continue;
    }
    Status status = FromError(error, fmt::format("produce topic={}", rd_kafka_topic_name(raw)));
    if (error == RD_KAFKA_RESP_ERR__FATAL || error == RD_KAFKA_RESP_ERR__FENCED) {
      return FailedPrecondition(status.message());
    }
    if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return status;
    return Aborted(status.message());
  }
}

Status TransactionalProducer::SendOffsets(std::span<const PartitionOffset> offsets,
                                          const GroupMetadata& group) {
  auto list = MakeList(offsets.size());
  for (const PartitionOffset& position : offsets) {
    rd_kafka_topic_partition_t* item = rd_kafka_topic_partition_list_add(
        list.get(), position.partition.topic.c_str(), position.partition.partition);
    item->offset = position.offset;
    if (position.metadata.empty()) continue;
    item->metadata = strndup(position.metadata.data(), position.metadata.size());
    item->metadata_size = position.metadata.size();
  }
  Status status;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    Holder<rd_kafka_error_t> error(
        rd_kafka_send_offsets_to_transaction(impl_->client.get(), list.get(), group.handle(), -1));
    if (error == nullptr) return {};
    status = Classify(*error, "send_offsets_to_transaction");
    if (status.code() != Code::kUnavailable) return status;
  }
  return Aborted(status.message());
}

Status TransactionalProducer::Commit() {
  // Not left to the commit itself, which says nothing meanwhile. Ends as Produce does; what became
  // of the records the commit knows.
  while (rd_kafka_flush(impl_->client.get(), kFlushWaitMs) == RD_KAFKA_RESP_ERR__TIMED_OUT)
    impl_->while_waiting();
  Status status;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    Holder<rd_kafka_error_t> error(rd_kafka_commit_transaction(impl_->client.get(), -1));
    if (error == nullptr) return {};
    status = Classify(*error, "commit_transaction");
    if (status.code() != Code::kUnavailable) return status;
  }
  return DeadlineExceeded(status.message());
}

Status TransactionalProducer::Abort() {
  Status status;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    Holder<rd_kafka_error_t> error(rd_kafka_abort_transaction(impl_->client.get(), -1));
    if (error == nullptr) return {};
    status = Classify(*error, "abort_transaction");
    if (status.code() != Code::kUnavailable) break;
  }
  return FailedPrecondition(status.message());
}

std::string TransactionalProducer::last_error() const {
  return impl_->last_error();
}

}  // namespace slipstream::kafka
