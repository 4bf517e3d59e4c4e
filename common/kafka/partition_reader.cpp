#include "common/kafka/partition_reader.h"

#include <optional>
#include <utility>

#include "common/kafka/client.h"
#include "common/kafka/fetch_wakeup.h"

namespace slipstream::kafka {

struct PartitionReader::Impl final : ClientEvents {
  using ClientEvents::ClientEvents;
  size_t queue_bytes_max = 0;
  std::optional<FetchWakeup> wakeup;  // of the partition that is read
  Holder<rd_kafka_t> client;
  Holder<rd_kafka_queue_t> queue;  // goes before the client
};

PartitionReader::PartitionReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PartitionReader::~PartitionReader() {
  impl_->queue.reset();
}

Result<std::unique_ptr<PartitionReader>> PartitionReader::Create(const Options& options) {
  auto impl = std::make_unique<Impl>(options.logger);
  impl->queue_bytes_max = options.queue_bytes_max;
  Properties defaults = FetchDefaults(options.queue_bytes_max);
  defaults.emplace_back("fetch.wait.max.ms", "20");
  ASSIGN_OR_RETURN(impl->client,
                   MakeReader("slipstream-reader", defaults, options.properties, *impl));
  impl->queue.reset(rd_kafka_queue_get_consumer(impl->client.get()));
  return std::unique_ptr<PartitionReader>(new PartitionReader(std::move(impl)));
}

Status PartitionReader::Start(const TopicPartition& partition, int64_t offset) {
  auto list = MakeList(1);
  rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)
      ->offset = offset;
  Stop();
  impl_->wakeup.emplace(impl_->client.get(), partition, impl_->queue_bytes_max);
  return FromError(rd_kafka_assign(impl_->client.get(), list.get()),
                   "start " + ToString(partition));
}

void PartitionReader::Stop() {
  rd_kafka_assign(impl_->client.get(), nullptr);
}

std::shared_ptr<const MessageBatch> PartitionReader::Read(size_t records_max,
                                                          std::chrono::milliseconds timeout) {
  auto batch = MessageBatch::Read(impl_->queue.get(), records_max, ToTimeoutMs(timeout));
  if (impl_->wakeup) impl_->wakeup->OnRead(batch->bytes());
  return batch;
}

std::string PartitionReader::last_error() const {
  return impl_->last_error();
}

}  // namespace slipstream::kafka
