#include "tests/support/kafka_client.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

namespace slipstream::test_support {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

template <auto kDestroy>
struct Destroy {
  template <class T>
  void operator()(T* handle) const {
    kDestroy(handle);
  }
};
using Handle = std::unique_ptr<rd_kafka_t, Destroy<rd_kafka_destroy>>;
using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                   Destroy<rd_kafka_topic_partition_list_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Destroy<rd_kafka_message_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;
using OldTopic = std::unique_ptr<rd_kafka_DeleteTopic_t, Destroy<rd_kafka_DeleteTopic_destroy>>;

constexpr int kPollMs = 100;
constexpr size_t kErrorBytesMax = 512;

Status KafkaStatus(rd_kafka_resp_err_t error, std::string_view context) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  Code code = Code::kUnavailable;
  if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) code = Code::kAlreadyExists;
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) code = Code::kNotFound;
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) code = Code::kResourceExhausted;
  return {code, fmt::format("{}: {}", context, rd_kafka_err2str(error))};
}

// The first delivery that was refused goes into the Status that is the handle's opaque.
void OnDelivery(rd_kafka_t* /*producer*/, const rd_kafka_message_t* message, void* opaque) {
  auto* failure = static_cast<Status*>(opaque);
  if (failure->ok()) *failure = KafkaStatus(message->err, "produce");
}

// `delivery_failure` (of a producer) is written to while the handle lives.
Result<Handle> Open(rd_kafka_type_t type,
                    const std::map<std::string, std::string>& settings,
                    Status* delivery_failure = nullptr) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char error[kErrorBytesMax];
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof(error)) !=
        RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      return InvalidArgument(error);
    }
  }
  // Errors come with the calls that they concern.
  rd_kafka_conf_set_log_cb(conf, nullptr);
  if (delivery_failure != nullptr) {
    rd_kafka_conf_set_opaque(conf, delivery_failure);
    rd_kafka_conf_set_dr_msg_cb(conf, OnDelivery);
  }
  rd_kafka_t* handle = rd_kafka_new(type, conf, error, sizeof(error));
  if (handle == nullptr) {
    rd_kafka_conf_destroy(conf);
    return Internal(error);
  }
  return Handle(handle);
}

// The error of a topic administration call's answer.
Status TopicResult(rd_kafka_event_t* event, std::string_view context) {
  if (event == nullptr) return DeadlineExceeded(fmt::format("{}: no answer", context));
  RETURN_IF_ERROR(KafkaStatus(rd_kafka_event_error(event), context));
  size_t count = 0;
  const rd_kafka_topic_result_t** topics = nullptr;
  if (const auto* created = rd_kafka_event_CreateTopics_result(event)) {
    topics = rd_kafka_CreateTopics_result_topics(created, &count);
  } else if (const auto* deleted = rd_kafka_event_DeleteTopics_result(event)) {
    topics = rd_kafka_DeleteTopics_result_topics(deleted, &count);
  }
  for (size_t i = 0; i < count; ++i) {
    RETURN_IF_ERROR(KafkaStatus(rd_kafka_topic_result_error(topics[i]), context));
  }
  return {};
}

KafkaRecord FromMessage(const rd_kafka_message_t& message) {
  KafkaRecord record{.partition = message.partition, .offset = message.offset};
  record.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
  if (message.key != nullptr) {
    record.key.emplace(static_cast<const char*>(message.key), message.key_len);
  }
  if (message.payload != nullptr) {
    record.value.emplace(static_cast<const char*>(message.payload), message.len);
  }
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return record;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    record.headers.emplace_back(name, std::string(static_cast<const char*>(value), size));
  }
  return record;
}

// kResourceExhausted while librdkafka's queue is full.
Status Enqueue(rd_kafka_t* producer, const std::string& topic, const KafkaRecord& record) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
  for (const auto& [name, value] : record.headers) {
    rd_kafka_header_add(headers,
                        name.data(),
                        static_cast<ssize_t>(name.size()),
                        value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  std::vector<rd_kafka_vu_t> arguments;
  const auto argument = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    arguments.push_back({.vtype = type, .u = {}});
    return arguments.back();
  };
  argument(RD_KAFKA_VTYPE_TOPIC).u.cstr = topic.c_str();
  argument(RD_KAFKA_VTYPE_PARTITION).u.i32 =
      record.partition < 0 ? RD_KAFKA_PARTITION_UA : record.partition;
  argument(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  argument(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = record.timestamp_ms < 0 ? 0 : record.timestamp_ms;
  argument(RD_KAFKA_VTYPE_HEADERS).u.headers = headers;
  // The library copies key and value and only reads them.
  if (record.key) {
    argument(RD_KAFKA_VTYPE_KEY).u.mem = {const_cast<char*>(record.key->data()),
                                          record.key->size()};
  }
  if (record.value) {
    argument(RD_KAFKA_VTYPE_VALUE).u.mem = {const_cast<char*>(record.value->data()),
                                            record.value->size()};
  }
  const std::unique_ptr<rd_kafka_error_t, Destroy<rd_kafka_error_destroy>> refused(
      rd_kafka_produceva(producer, arguments.data(), arguments.size()));
  const rd_kafka_resp_err_t error = rd_kafka_error_code(refused.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_headers_destroy(headers);
  return KafkaStatus(error, "produce to " + topic);
}

}  // namespace

Status KafkaClient::CreateTopic(const std::string& topic,
                                int partitions,
                                const std::map<std::string, std::string>& config) const {
  ASSIGN_OR_RETURN(Handle handle, Open(RD_KAFKA_PRODUCER, {{"bootstrap.servers", bootstrap_}}));
  char error[kErrorBytesMax];
  NewTopic created(rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, error, sizeof(error)));
  if (created == nullptr) return InvalidArgument(error);
  for (const auto& [name, value] : config) {
    rd_kafka_NewTopic_set_config(created.get(), name.c_str(), value.c_str());
  }
  Queue queue(rd_kafka_queue_new(handle.get()));
  rd_kafka_NewTopic_t* topics[] = {created.get()};
  rd_kafka_CreateTopics(handle.get(), topics, 1, nullptr, queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), static_cast<int>(deadline_.count())));
  return TopicResult(event.get(), "create topic " + topic);
}

Status KafkaClient::DeleteTopic(const std::string& topic) const {
  ASSIGN_OR_RETURN(Handle handle, Open(RD_KAFKA_PRODUCER, {{"bootstrap.servers", bootstrap_}}));
  OldTopic deleted(rd_kafka_DeleteTopic_new(topic.c_str()));
  Queue queue(rd_kafka_queue_new(handle.get()));
  rd_kafka_DeleteTopic_t* topics[] = {deleted.get()};
  rd_kafka_DeleteTopics(handle.get(), topics, 1, nullptr, queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), static_cast<int>(deadline_.count())));
  return TopicResult(event.get(), "delete topic " + topic);
}

Result<std::map<std::string, int>> KafkaClient::Topics() const {
  ASSIGN_OR_RETURN(Handle handle, Open(RD_KAFKA_PRODUCER, {{"bootstrap.servers", bootstrap_}}));
  const rd_kafka_metadata_t* metadata = nullptr;
  RETURN_IF_ERROR(KafkaStatus(
      rd_kafka_metadata(handle.get(), 1, nullptr, &metadata, static_cast<int>(deadline_.count())),
      "list topics"));
  std::map<std::string, int> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& topic = metadata->topics[i];
    const std::string_view name = topic.topic;
    if (!name.starts_with("__")) topics.emplace(name, topic.partition_cnt);
  }
  rd_kafka_metadata_destroy(metadata);
  return topics;
}

Status KafkaClient::Produce(const std::string& topic,
                            const std::vector<KafkaRecord>& records) const {
  Status failure;  // before the handle, which may report to it until it is gone
  ASSIGN_OR_RETURN(Handle handle,
                   Open(RD_KAFKA_PRODUCER,
                        {{"bootstrap.servers", bootstrap_},
                         {"enable.idempotence", "true"},
                         {"message.max.bytes", "16000000"},  // the topic says what it takes
                         {"message.timeout.ms", std::to_string(deadline_.count())}},
                        &failure));
  for (const KafkaRecord& record : records) {
    rd_kafka_poll(handle.get(), 0);
    Status status = Enqueue(handle.get(), topic, record);
    while (status.code() == Code::kResourceExhausted) {
      rd_kafka_poll(handle.get(), kPollMs);
      status = Enqueue(handle.get(), topic, record);
    }
    RETURN_IF_ERROR(status);
  }
  while (rd_kafka_outq_len(handle.get()) > 0)
    rd_kafka_poll(handle.get(), kPollMs);
  return failure;
}

Result<std::vector<KafkaRecord>> KafkaClient::ReadAll(const std::string& topic) const {
  ASSIGN_OR_RETURN(const auto topics, Topics());
  const auto found = topics.find(topic);
  if (found == topics.end()) return NotFound("topic " + topic);
  ASSIGN_OR_RETURN(Handle handle,
                   Open(RD_KAFKA_CONSUMER,
                        {{"bootstrap.servers", bootstrap_},
                         {"group.id", "test-reader"},
                         {"enable.auto.commit", "false"},
                         {"enable.partition.eof", "true"},
                         {"fetch.wait.max.ms", "10"},  // the end is seen by an empty fetch
                         {"isolation.level", "read_committed"}}));
  Partitions all(rd_kafka_topic_partition_list_new(found->second));
  for (int partition = 0; partition < found->second; ++partition) {
    rd_kafka_topic_partition_list_add(all.get(), topic.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  RETURN_IF_ERROR(KafkaStatus(rd_kafka_assign(handle.get(), all.get()), "assign"));
  std::vector<KafkaRecord> records;
  const auto give_up_at = steady_clock::now() + deadline_;
  // By partition: an end that is told twice is one.
  std::set<int32_t> ended;
  while (static_cast<int>(ended.size()) < found->second) {
    if (steady_clock::now() >= give_up_at) return DeadlineExceeded("read " + topic);
    Message message(rd_kafka_consumer_poll(handle.get(), kPollMs));
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ended.insert(message->partition);
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      records.push_back(FromMessage(*message));
    }  // any other error: the library goes on by itself, or the deadline ends it
  }
  std::stable_sort(records.begin(), records.end(), [](const KafkaRecord& a, const KafkaRecord& b) {
    return a.partition < b.partition;
  });
  return records;
}

Result<int64_t> KafkaClient::Count(const std::string& topic) const {
  ASSIGN_OR_RETURN(const std::vector<KafkaRecord> records, ReadAll(topic));
  return static_cast<int64_t>(records.size());
}

Result<std::map<int32_t, int64_t>> KafkaClient::CommittedOffsets(const std::string& group,
                                                                 const std::string& topic) const {
  ASSIGN_OR_RETURN(const auto topics, Topics());
  const auto found = topics.find(topic);
  if (found == topics.end()) return NotFound("topic " + topic);
  ASSIGN_OR_RETURN(Handle handle,
                   Open(RD_KAFKA_CONSUMER,
                        {{"bootstrap.servers", bootstrap_},
                         {"group.id", group},
                         {"isolation.level", "read_committed"}}));
  Partitions list(rd_kafka_topic_partition_list_new(found->second));
  rd_kafka_topic_partition_list_add_range(list.get(), topic.c_str(), 0, found->second - 1);
  RETURN_IF_ERROR(
      KafkaStatus(rd_kafka_committed(handle.get(), list.get(), static_cast<int>(deadline_.count())),
                  "committed offsets of group " + group));
  std::map<int32_t, int64_t> offsets;
  for (int i = 0; i < list->cnt; ++i) {
    if (list->elems[i].offset >= 0) offsets[list->elems[i].partition] = list->elems[i].offset;
  }
  return offsets;
}

}  // namespace slipstream::test_support
