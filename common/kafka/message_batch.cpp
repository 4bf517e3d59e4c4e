#include "common/kafka/message_batch.h"

#include <algorithm>

#include "common/kafka/client.h"

namespace slipstream::kafka {

MessageBatch::~MessageBatch() {
  for (rd_kafka_message_t* message : messages_)
    rd_kafka_message_destroy(message);
}

std::shared_ptr<const MessageBatch> MessageBatch::Read(rd_kafka_queue_s* queue,
                                                       size_t records_max,
                                                       int timeout_ms) {
  auto batch = std::make_shared<MessageBatch>();
  // Not cleared: most looks at a queue find nothing, and clearing would be all they cost.
  const auto messages = std::make_unique_for_overwrite<rd_kafka_message_t*[]>(records_max);
  // librdkafka waits until the batch is full or the time is over; we want what is there as soon as
  // anything is.
  size_t first_count = 0;
  if (timeout_ms > 0) {
    messages[0] = rd_kafka_consume_queue(queue, timeout_ms);
    if (messages[0] == nullptr) return batch;
    first_count = 1;
  }
  const ssize_t more = rd_kafka_consume_batch_queue(
      queue, 0, messages.get() + first_count, records_max - first_count);
  if (more < 0) batch->error_ = FromError(rd_kafka_last_error(), "read");
  const size_t count = first_count + static_cast<size_t>(std::max<ssize_t>(more, 0));
  batch->records_.reserve(count);
  batch->messages_.reserve(count);
  for (rd_kafka_message_t* message : std::span(messages.get(), count))
    batch->Take(message);
  batch->ReadHeaders();
  return batch;
}

void MessageBatch::Take(rd_kafka_message_s* message) {
  messages_.push_back(message);
  if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    end_offset_ = message->offset;
    return;
  }
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (error_.ok()) error_ = FromError(message->err, rd_kafka_message_errstr(message));
    return;
  }
  bytes_ += message->len + message->key_len;
  Record& record = records_.emplace_back();
  if (message->payload != nullptr) {
    record.value.emplace(static_cast<const char*>(message->payload), message->len);
  }
  if (message->key != nullptr) {
    record.key.emplace(static_cast<const char*>(message->key), message->key_len);
  }
  record.offset = message->offset;
  rd_kafka_timestamp_type_t type{};
  const int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
  if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) return;
  record.timestamp_ms = timestamp_ms;
  record.timestamp_type = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME
                              ? Record::TimestampType::kLogAppendTime
                              : Record::TimestampType::kCreateTime;
}

void MessageBatch::ReadHeaders() {
  std::vector<std::pair<size_t, size_t>> ranges;  // of headers_, by record; empty: none has any
  size_t record_index = 0;
  for (rd_kafka_message_t* message : messages_) {
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ranges.resize(records_.size());
      const size_t begin = headers_.size();
      const char* name = nullptr;
      const void* value = nullptr;
      size_t size = 0;
      for (size_t i = 0;
           rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
           ++i) {
        headers_.push_back({name,
                            value == nullptr
                                ? std::string_view()
                                : std::string_view(static_cast<const char*>(value), size)});
      }
      ranges[record_index] = {begin, headers_.size() - begin};
    }
    ++record_index;
  }
  for (size_t i = 0; i < ranges.size(); ++i) {
    records_[i].headers = std::span(headers_).subspan(ranges[i].first, ranges[i].second);
  }
}

}  // namespace slipstream::kafka
