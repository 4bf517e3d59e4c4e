#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/kafka/types.h"
#include "common/status/status.h"

struct rd_kafka_message_s;
struct rd_kafka_queue_s;

namespace slipstream::kafka {

// One record that was read. The views live as long as the batch it is from.
struct Record {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  // nullopt: a tombstone
  int64_t offset = 0;
  int64_t timestamp_ms = 0;  // since 1970 UTC; 0 if the record has none
  enum class TimestampType : uint8_t { kNone, kCreateTime, kLogAppendTime };
  TimestampType timestamp_type = TimestampType::kNone;
  std::span<const Header> headers;
};

// MessageBatch: records of one partition, in offset order, in librdkafka's own memory: nothing is
// copied. Whoever shares the batch keeps that memory. Threads: immutable once made.
class MessageBatch final {
 public:
  MessageBatch() = default;
  ~MessageBatch();
  MessageBatch(const MessageBatch&) = delete;
  MessageBatch& operator=(const MessageBatch&) = delete;

  std::span<const Record> records() const { return records_; }
  // Of keys and values.
  size_t bytes() const { return bytes_; }
  // The reader has seen the end of the partition at this offset, after these records: the offset
  // the next record will at least have.
  std::optional<int64_t> end_offset() const { return end_offset_; }
  // What stopped the reading, if anything (kOutOfRange: the position is gone from the log).
  const Status& error() const { return error_; }
  // Nothing at all.
  bool empty() const { return records_.empty() && !end_offset_ && error_.ok(); }

 private:
  friend class PartitionQueue;
  friend class PartitionReader;
  // Reads up to `records_max` from the queue; waits up to `timeout_ms` for the first.
  static std::shared_ptr<const MessageBatch> Read(rd_kafka_queue_s* queue,
                                                  size_t records_max,
                                                  int timeout_ms);
  void Take(rd_kafka_message_s* message);
  void ReadHeaders();

  std::vector<rd_kafka_message_s*> messages_;
  std::vector<Record> records_;
  std::vector<Header> headers_;  // of all records, one after the other
  size_t bytes_ = 0;
  std::optional<int64_t> end_offset_;
  Status error_;
};

}  // namespace slipstream::kafka
