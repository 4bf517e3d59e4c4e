#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/kafka/partition_queue.h"
#include "common/kafka/types.h"
#include "common/status/status.h"

namespace slipstream::kafka {

// PartitionFollower: reads several partitions side by side from given offsets, without a group,
// each from a queue of its own, and goes on as they grow. Only committed records.
//
// Threads   not thread-safe.
// Blocking  never.
class PartitionFollower final {
 public:
  struct Options {
    Properties properties;                     // at least bootstrap.servers
    size_t queue_bytes_max = size_t{1} << 20;  // fetched and not yet read, for each partition
    std::string logger = "kafka.follower";
  };

  static Result<std::unique_ptr<PartitionFollower>> Create(const Options& options);
  ~PartitionFollower();
  PartitionFollower(const PartitionFollower&) = delete;
  PartitionFollower& operator=(const PartitionFollower&) = delete;

  // Reads exactly these partitions from now on, from these offsets (or kOffsetBeginning). Queues of
  // earlier calls must be gone.
  Result<std::vector<std::unique_ptr<PartitionQueue>>> Follow(
      const std::vector<PartitionOffset>& positions);

  // Serves the client's own events, as of brokers that are away; to be called now and then.
  void Poll();

  // The last offset + 1 that the broker has told; -1: not yet.
  int64_t KnownEndOffset(const TopicPartition& partition) const;

 private:
  struct Impl;
  explicit PartitionFollower(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::kafka
