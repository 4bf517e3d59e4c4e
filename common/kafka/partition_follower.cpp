#include "common/kafka/partition_follower.h"

#include <utility>

#include "common/kafka/client.h"

namespace slipstream::kafka {

struct PartitionFollower::Impl final : ClientEvents {
  using ClientEvents::ClientEvents;
  size_t queue_bytes_max = 0;
  Holder<rd_kafka_t> client;
};

PartitionFollower::PartitionFollower(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PartitionFollower::~PartitionFollower() = default;

Result<std::unique_ptr<PartitionFollower>> PartitionFollower::Create(const Options& options) {
  auto impl = std::make_unique<Impl>(options.logger);
  impl->queue_bytes_max = options.queue_bytes_max;
  ASSIGN_OR_RETURN(impl->client,
                   MakeReader("slipstream-follower",
                              FetchDefaults(options.queue_bytes_max),
                              options.properties,
                              *impl));
  return std::unique_ptr<PartitionFollower>(new PartitionFollower(std::move(impl)));
}

Result<std::vector<std::unique_ptr<PartitionQueue>>> PartitionFollower::Follow(
    const std::vector<PartitionOffset>& positions) {
  return PartitionQueue::Assign(
      impl_->client.get(), positions, {.queue_bytes_max = impl_->queue_bytes_max});
}

void PartitionFollower::Poll() {
  rd_kafka_message_t* event = rd_kafka_consumer_poll(impl_->client.get(), 0);
  if (event == nullptr) return;
  impl_->logger->debug("follower_failed reason={}", rd_kafka_message_errstr(event));
  rd_kafka_message_destroy(event);
}

int64_t PartitionFollower::KnownEndOffset(const TopicPartition& partition) const {
  return kafka::KnownEndOffset(impl_->client.get(), partition);
}

}  // namespace slipstream::kafka
