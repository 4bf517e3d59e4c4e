#include "common/kafka/producer.h"

#include <atomic>

#include <fmt/format.h>

#include "common/kafka/send.h"

namespace slipstream::kafka {

// The handle of a topic is librdkafka's own; the class exists in name only.
class Producer::Topic {};

namespace {

rd_kafka_topic_t* RawTopic(void* topic) {
  return static_cast<rd_kafka_topic_t*>(topic);
}

}  // namespace

struct Producer::Impl final : ClientEvents {
  using ClientEvents::ClientEvents;

  void OnDelivery(const rd_kafka_message_t& message) {
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      acknowledged.fetch_add(1, std::memory_order_relaxed);
      if (on_acknowledged) on_acknowledged(FromOpaque(message._private));
      return;
    }
    failed.fetch_add(1, std::memory_order_relaxed);
    MutexLock lock(mutex);
    if (!failure.ok()) return;
    failure = FromError(
        message.err,
        fmt::format(
            "deliver topic={} partition={}", rd_kafka_topic_name(message.rkt), message.partition));
  }

  std::function<void(int64_t tag)> on_acknowledged;
  std::atomic<uint64_t> sent{0};
  std::atomic<uint64_t> acknowledged{0};
  std::atomic<uint64_t> failed{0};
  mutable Mutex mutex;
  Status failure GUARDED_BY(mutex);
  // The client first, so that it goes last: its topics must be released before it.
  Holder<rd_kafka_t> client;
  Mutex topics_mutex;
  TopicTable topics GUARDED_BY(topics_mutex);
};

Producer::Producer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Producer::~Producer() {
  // Whatever nobody flushed would hold up the destruction for its whole timeout.
  rd_kafka_purge(impl_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  MutexLock lock(impl_->topics_mutex);
  impl_->topics.Clear();
}

Result<std::unique_ptr<Producer>> Producer::Create(Options options) {
  auto impl = std::make_unique<Impl>(options.logger);
  impl->on_acknowledged = std::move(options.on_acknowledged);
  ASSIGN_OR_RETURN(Holder<rd_kafka_conf_t> conf,
                   MakeConf(ProducerDefaults(), options.properties, *impl));
  rd_kafka_conf_set_dr_msg_cb(
      conf.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
        static_cast<Impl*>(static_cast<ClientEvents*>(opaque))->OnDelivery(*message);
      });
  ASSIGN_OR_RETURN(impl->client, MakeClient(RD_KAFKA_PRODUCER, std::move(conf)));
  return std::unique_ptr<Producer>(new Producer(std::move(impl)));
}

Result<Producer::Topic*> Producer::OpenTopic(const std::string& name) {
  MutexLock lock(impl_->topics_mutex);
  ASSIGN_OR_RETURN(rd_kafka_topic_t * topic, impl_->topics.Open(impl_->client.get(), name));
  return static_cast<Topic*>(static_cast<void*>(topic));
}

Status Producer::Produce(Topic& topic, const OutgoingRecord& record, const std::stop_token& stop) {
  rd_kafka_t* client = impl_->client.get();
  rd_kafka_topic_t* raw = RawTopic(&topic);
  for (;;) {
    rd_kafka_resp_err_t error = Enqueue(client, raw, record);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      return FromError(error, fmt::format("produce topic={}", rd_kafka_topic_name(raw)));
    }
    if (stop.stop_requested()) return Cancelled("produce: stopped while the queue was full");
    rd_kafka_poll(client, 20);
  }
  // Delivery reports are served here, in passing.
  if ((impl_->sent.fetch_add(1, std::memory_order_relaxed) & 255) == 0) rd_kafka_poll(client, 0);
  return {};
}

Status Producer::Flush(std::chrono::milliseconds timeout) {
  rd_kafka_resp_err_t error = rd_kafka_flush(impl_->client.get(), ToTimeoutMs(timeout));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  if (error != RD_KAFKA_RESP_ERR__TIMED_OUT) return FromError(error, "flush");
  return DeadlineExceeded(fmt::format("flush: records_open={} last_error={}",
                                      rd_kafka_outq_len(impl_->client.get()),
                                      last_error()));
}

Producer::Counters Producer::counters() const {
  return {.sent = impl_->sent, .acknowledged = impl_->acknowledged, .failed = impl_->failed};
}

Status Producer::failure() const {
  MutexLock lock(impl_->mutex);
  return impl_->failure;
}

std::string Producer::last_error() const {
  return impl_->last_error();
}

}  // namespace slipstream::kafka
