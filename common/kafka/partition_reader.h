#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "common/kafka/message_batch.h"
#include "common/kafka/types.h"
#include "common/status/status.h"

namespace slipstream::kafka {

// PartitionReader: reads one partition at a time from a given offset, without a group: for
// changelogs and status topics. Only committed records.
//
// Threads   not thread-safe.
// Blocking  Read, up to its timeout.
class PartitionReader final {
 public:
  struct Options {
    Properties properties;  // at least bootstrap.servers
    size_t queue_bytes_max = size_t{4} << 20;
    std::string logger = "kafka.reader";
  };

  static Result<std::unique_ptr<PartitionReader>> Create(const Options& options);
  ~PartitionReader();
  PartitionReader(const PartitionReader&) = delete;
  PartitionReader& operator=(const PartitionReader&) = delete;

  // Reads from `offset` on (or kOffsetBeginning), instead of what was read before.
  Status Start(const TopicPartition& partition, int64_t offset);
  // Gives the partition up; the connection stays for the next Start.
  void Stop();

  // Up to `records_max`, as soon as there are any; an empty batch when `timeout` has passed.
  // end_offset() of a batch is the last stable offset then: it says nothing about transactions
  // that are committed but whose markers have not been written yet.
  std::shared_ptr<const MessageBatch> Read(size_t records_max, std::chrono::milliseconds timeout);

  std::string last_error() const;

 private:
  struct Impl;
  explicit PartitionReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::kafka
