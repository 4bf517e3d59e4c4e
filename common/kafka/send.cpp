#include "common/kafka/send.h"

#include <array>

namespace slipstream::kafka {

const Properties& ProducerDefaults() {
  static const Properties defaults = {
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"compression.type", "zstd"},
      {"partitioner", "murmur2_random"},
      {"linger.ms", "5"},
      {"batch.size", "1000000"},
      {"queue.buffering.max.messages", "500000"},
      {"queue.buffering.max.kbytes", "65536"},
  };
  return defaults;
}

Result<rd_kafka_topic_t*> TopicTable::Open(rd_kafka_t* client, const std::string& name) {
  if (auto found = topics_.find(name); found != topics_.end()) return found->second.get();
  Holder<rd_kafka_topic_t> topic(rd_kafka_topic_new(client, name.c_str(), nullptr));
  if (topic == nullptr) return FromError(rd_kafka_last_error(), "open topic=" + name);
  rd_kafka_topic_t* raw = topic.get();
  topics_.emplace(name, std::move(topic));
  return raw;
}

namespace {

// librdkafka takes mutable pointers to what it only copies.
void* Mutable(const void* bytes) {
  return const_cast<void*>(bytes);
}

// A present but empty value is not a tombstone, so it needs an address.
const char* AddressOf(std::string_view bytes) {
  return bytes.data() == nullptr ? "" : bytes.data();
}

rd_kafka_resp_err_t EnqueueFull(rd_kafka_t* client,
                                rd_kafka_topic_t* topic,
                                const OutgoingRecord& record) {
  Holder<rd_kafka_headers_t> headers;
  if (record.header_count > 0) {
    headers.reset(rd_kafka_headers_new(record.header_count));
    for (size_t i = 0; i < record.header_count; ++i) {
      const Header& header = record.headers[i];
      rd_kafka_header_add(headers.get(),
                          AddressOf(header.name),
                          static_cast<ssize_t>(header.name.size()),
                          AddressOf(header.value),
                          static_cast<ssize_t>(header.value.size()));
    }
  }
  std::array<rd_kafka_vu_t, 8> fields{};
  size_t count = 0;
  auto add = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    fields[count].vtype = type;
    return fields[count++];
  };
  add(RD_KAFKA_VTYPE_RKT).u.rkt = topic;
  add(RD_KAFKA_VTYPE_PARTITION).u.i32 =
      record.partition < 0 ? RD_KAFKA_PARTITION_UA : record.partition;
  add(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  add(RD_KAFKA_VTYPE_OPAQUE).u.ptr = ToOpaque(record.tag);
  if (record.value) {
    add(RD_KAFKA_VTYPE_VALUE).u.mem = {Mutable(AddressOf(*record.value)), record.value->size()};
  }
  if (record.key) {
    add(RD_KAFKA_VTYPE_KEY).u.mem = {Mutable(AddressOf(*record.key)), record.key->size()};
  }
  if (record.timestamp_ms != 0) add(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = record.timestamp_ms;
  if (headers != nullptr) add(RD_KAFKA_VTYPE_HEADERS).u.headers = headers.get();
  Holder<rd_kafka_error_t> error(rd_kafka_produceva(client, fields.data(), count));
  if (error != nullptr) return rd_kafka_error_code(error.get());
  (void)headers.release();  // taken over on success
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace

rd_kafka_resp_err_t Enqueue(rd_kafka_t* client,
                            rd_kafka_topic_t* topic,
                            const OutgoingRecord& record) {
  if (record.header_count > 0 || record.timestamp_ms != 0) {
    return EnqueueFull(client, topic, record);
  }
  const bool failed =
      rd_kafka_produce(topic,
                       record.partition < 0 ? RD_KAFKA_PARTITION_UA : record.partition,
                       RD_KAFKA_MSG_F_COPY,
                       record.value ? Mutable(AddressOf(*record.value)) : nullptr,
                       record.value ? record.value->size() : 0,
                       record.key ? AddressOf(*record.key) : nullptr,
                       record.key ? record.key->size() : 0,
                       ToOpaque(record.tag)) != 0;
  return failed ? rd_kafka_last_error() : RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace slipstream::kafka
