#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/kafka/fetch_wakeup.h"
#include "common/kafka/message_batch.h"
#include "common/kafka/types.h"
#include "common/status/status.h"

namespace slipstream::kafka {

// PartitionQueue: the records of one assigned partition, and nothing else's. Not reading it is the
// back-pressure. Must be gone before the consumer it is from.
class PartitionQueue final {
 public:
  ~PartitionQueue();
  PartitionQueue(const PartitionQueue&) = delete;
  PartitionQueue& operator=(const PartitionQueue&) = delete;

  struct AssignOptions {
    size_t queue_bytes_max = 0;  // as the client was made with
    // Written to (8 bytes) whenever a queue has something new; -1: none.
    int event_fd = -1;
  };
  // Has the client read exactly these partitions, from these offsets, each into the queue given
  // back for it. Whatever was read ahead before is dropped, and queues of earlier calls must be
  // gone.
  static Result<std::vector<std::unique_ptr<PartitionQueue>>> Assign(
      rd_kafka_s* client,
      const std::vector<PartitionOffset>& positions,
      const AssignOptions& options);

  // Up to `records_max` of what is there, without waiting; an empty batch if nothing is.
  std::shared_ptr<const MessageBatch> Read(size_t records_max);

 private:
  PartitionQueue(rd_kafka_queue_s* queue, FetchWakeup wakeup);
  rd_kafka_queue_s* queue_;
  FetchWakeup wakeup_;
};

// The last offset + 1 that the broker has told, of what the client may see; -1: not yet.
int64_t KnownEndOffset(rd_kafka_s* client, const TopicPartition& partition);

}  // namespace slipstream::kafka
