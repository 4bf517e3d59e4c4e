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
  Properties properties = options.properties;
  // librdkafka wants a group's name even from those who never join one.
  for (const auto& [name, value] : Properties{{"group.id", "slipstream-follower"},
                                              {"enable.auto.commit", "false"},
                                              {"enable.auto.offset.store", "false"},
                                              {"auto.offset.reset", "error"},
                                              {"enable.partition.eof", "true"},
                                              {"isolation.level", "read_committed"}}) {
    properties.emplace_back(name, value);
  }
  ASSIGN_OR_RETURN(Holder<rd_kafka_conf_t> conf,
                   MakeConf(FetchDefaults(options.queue_bytes_max), properties, *impl));
  ASSIGN_OR_RETURN(impl->client, MakeClient(RD_KAFKA_CONSUMER, std::move(conf)));
  rd_kafka_poll_set_consumer(impl->client.get());
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
