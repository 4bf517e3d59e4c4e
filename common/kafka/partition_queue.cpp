#include "common/kafka/partition_queue.h"

#include <utility>

#include "common/kafka/client.h"

namespace slipstream::kafka {
namespace {

constexpr uint64_t kEventFdIncrement = 1;

}  // namespace

PartitionQueue::PartitionQueue(rd_kafka_queue_s* queue, FetchWakeup wakeup)
    : queue_(queue), wakeup_(std::move(wakeup)) {}

PartitionQueue::~PartitionQueue() {
  rd_kafka_queue_io_event_enable(queue_, -1, nullptr, 0);
  rd_kafka_queue_destroy(queue_);
}

Result<std::vector<std::unique_ptr<PartitionQueue>>> PartitionQueue::Assign(
    rd_kafka_s* client,
    const std::vector<PartitionOffset>& positions,
    const AssignOptions& options) {
  RETURN_IF_ERROR(FromError(rd_kafka_assign(client, nullptr), "unassign"));
  auto list = MakeList(positions.size());
  std::vector<std::unique_ptr<PartitionQueue>> queues;
  for (const PartitionOffset& position : positions) {
    const TopicPartition& partition = position.partition;
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)
        ->offset = position.offset;
    // Before the assignment: what is forwarded before its queue is taken would go elsewhere.
    rd_kafka_queue_t* queue =
        rd_kafka_queue_get_partition(client, partition.topic.c_str(), partition.partition);
    if (queue == nullptr) return NotFound("no queue for " + ToString(partition));
    queues.emplace_back(
        new PartitionQueue(queue, FetchWakeup(client, partition, options.queue_bytes_max)));
    rd_kafka_queue_forward(queue, nullptr);
    if (options.event_fd >= 0) {
      rd_kafka_queue_io_event_enable(
          queue, options.event_fd, &kEventFdIncrement, sizeof(kEventFdIncrement));
    }
  }
  RETURN_IF_ERROR(FromError(rd_kafka_assign(client, list.get()), "assign"));
  return queues;
}

std::shared_ptr<const MessageBatch> PartitionQueue::Read(size_t records_max) {
  auto batch = MessageBatch::Read(queue_, records_max, 0);
  wakeup_.OnRead(batch->bytes());
  return batch;
}

int64_t KnownEndOffset(rd_kafka_s* client, const TopicPartition& partition) {
  int64_t low = 0;
  int64_t high = 0;
  if (rd_kafka_get_watermark_offsets(
          client, partition.topic.c_str(), partition.partition, &low, &high) !=
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    return -1;
  }
  return high < 0 ? -1 : high;
}

}  // namespace slipstream::kafka
