#include "common/kafka/admin.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "common/kafka/client.h"

namespace slipstream::kafka {
namespace {

// How often the metadata is looked at while a topic comes or goes.
constexpr std::chrono::milliseconds kMetadataPeriod{20};

}  // namespace

struct Admin::Impl final : ClientEvents {
  explicit Impl(Options admin_options)
      : ClientEvents(admin_options.logger), options(std::move(admin_options)) {}

  int timeout_ms() const { return ToTimeoutMs(options.timeout); }

  // Runs one admin request and waits for its answer.
  template <class Request>
  Result<Holder<rd_kafka_event_t>> Call(rd_kafka_admin_op_t operation,
                                        std::string_view context,
                                        Request request) {
    Holder<rd_kafka_AdminOptions_t> call_options(
        rd_kafka_AdminOptions_new(client.get(), operation));
    char reason[256];
    rd_kafka_AdminOptions_set_request_timeout(
        call_options.get(), timeout_ms(), reason, sizeof(reason));
    Holder<rd_kafka_queue_t> queue(rd_kafka_queue_new(client.get()));
    request(call_options.get(), queue.get());
    // The answer comes at the latest with the request's own timeout.
    Holder<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), timeout_ms() + 5'000));
    if (event == nullptr) return Unavailable(fmt::format("{}: no answer", context));
    if (rd_kafka_resp_err_t error = rd_kafka_event_error(event.get())) {
      Status status = FromError(error, context);
      return Status(
          status.code(),
          fmt::format("{} {}", status.message(), rd_kafka_event_error_string(event.get())));
    }
    return event;
  }

  Result<Holder<const struct rd_kafka_metadata>> Metadata(const std::string* topic) {
    Holder<rd_kafka_topic_t> handle;
    if (topic != nullptr) {
      handle.reset(rd_kafka_topic_new(client.get(), topic->c_str(), nullptr));
      if (handle == nullptr) return FromError(rd_kafka_last_error(), "topic " + *topic);
    }
    const struct rd_kafka_metadata* metadata = nullptr;
    RETURN_IF_ERROR(FromError(
        rd_kafka_metadata(client.get(), topic == nullptr, handle.get(), &metadata, timeout_ms()),
        "metadata"));
    return Holder<const struct rd_kafka_metadata>(metadata);
  }

  const Options options;
  Holder<rd_kafka_t> client;
};

namespace {

// The error of a per-topic result, with the broker's own words.
Status TopicStatus(const rd_kafka_topic_result_t* result, std::string_view context) {
  rd_kafka_resp_err_t error = rd_kafka_topic_result_error(result);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  Status status = FromError(error, context);
  const char* words = rd_kafka_topic_result_error_string(result);
  return {status.code(),
          words == nullptr ? status.message() : fmt::format("{}: {}", status.message(), words)};
}

}  // namespace

Admin::Admin(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Admin::~Admin() = default;

Result<std::unique_ptr<Admin>> Admin::Create(Options options) {
  if (options.sees_uncommitted) {
    options.properties.emplace_back("isolation.level", "read_uncommitted");
  }
  auto impl = std::make_unique<Impl>(std::move(options));
  ASSIGN_OR_RETURN(Holder<rd_kafka_conf_t> conf, MakeConf({}, impl->options.properties, *impl));
  // A consumer, since only its isolation level makes ends the ends of what is committed.
  ASSIGN_OR_RETURN(impl->client, MakeClient(RD_KAFKA_CONSUMER, std::move(conf)));
  return std::unique_ptr<Admin>(new Admin(std::move(impl)));
}

Status Admin::CreateTopic(const TopicSpec& spec) {
  const std::string context = "create topic=" + spec.name;
  char reason[256];
  Holder<rd_kafka_NewTopic_t> topic(rd_kafka_NewTopic_new(
      spec.name.c_str(), spec.partition_count, spec.replication_factor, reason, sizeof(reason)));
  if (topic == nullptr) return InvalidArgument(fmt::format("{}: {}", context, reason));
  for (const auto& [name, value] : spec.config) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  ASSIGN_OR_RETURN(
      Holder<rd_kafka_event_t> event,
      impl_->Call(RD_KAFKA_ADMIN_OP_CREATETOPICS,
                  context,
                  [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                    rd_kafka_CreateTopics(impl_->client.get(), topics, 1, options, queue);
                  }));
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i)
    RETURN_IF_ERROR(TopicStatus(results[i], context));
  return AwaitTopic(spec.name).status().WithContext(context);
}

// A topic that was just made is known to all brokers only a little later.
Result<int32_t> Admin::AwaitTopic(const std::string& topic) {
  const SteadyTime deadline = SystemClock::Get().Now() + impl_->options.timeout;
  for (;;) {
    Result<int32_t> partitions = PartitionCount(topic);
    if (partitions.ok() || partitions.error().code() != Code::kNotFound ||
        SystemClock::Get().Now() > deadline) {
      return partitions;
    }
    std::this_thread::sleep_for(kMetadataPeriod);
  }
}

Status Admin::EnsureTopic(const TopicSpec& spec) {
  Result<int32_t> partitions = PartitionCount(spec.name);
  if (!partitions.ok() && partitions.error().code() == Code::kNotFound) {
    TopicSpec creation = spec;
    if (creation.partition_count == 0) creation.partition_count = 1;
    Status created = CreateTopic(creation);
    if (created.code() != Code::kAlreadyExists) return created;
    partitions = AwaitTopic(spec.name);  // another process was quicker
  }
  if (!partitions.ok()) return partitions.error();
  std::string differences;
  if (spec.partition_count != 0 && *partitions != spec.partition_count) {
    differences += fmt::format(" partitions={} wanted={}", *partitions, spec.partition_count);
  }
  if (!spec.config.empty()) {
    ASSIGN_OR_RETURN(auto config, DescribeConfig(spec.name));
    for (const auto& [name, value] : spec.config) {
      auto found = config.find(name);
      if (found != config.end() && found->second == value) continue;
      differences +=
          fmt::format(" {}={} wanted={}", name, found == config.end() ? "?" : found->second, value);
    }
  }
  if (differences.empty()) return {};
  return FailedPrecondition(fmt::format(
      "topic {} exists with other settings:{}; change or delete it", spec.name, differences));
}

Status Admin::GrowTopic(const std::string& name, int32_t partition_count) {
  const std::string context = fmt::format("grow topic={} partitions={}", name, partition_count);
  char reason[256];
  Holder<rd_kafka_NewPartitions_t> partitions(rd_kafka_NewPartitions_new(
      name.c_str(), static_cast<size_t>(partition_count), reason, sizeof(reason)));
  if (partitions == nullptr) return InvalidArgument(fmt::format("{}: {}", context, reason));
  rd_kafka_NewPartitions_t* requests[] = {partitions.get()};
  ASSIGN_OR_RETURN(
      Holder<rd_kafka_event_t> event,
      impl_->Call(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS,
                  context,
                  [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                    rd_kafka_CreatePartitions(impl_->client.get(), requests, 1, options, queue);
                  }));
  size_t count = 0;
  const rd_kafka_topic_result_t** results = rd_kafka_CreatePartitions_result_topics(
      rd_kafka_event_CreatePartitions_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i)
    RETURN_IF_ERROR(TopicStatus(results[i], context));
  return {};
}

Status Admin::DeleteTopic(const std::string& name) {
  const std::string context = "delete topic=" + name;
  Holder<rd_kafka_DeleteTopic_t> topic(rd_kafka_DeleteTopic_new(name.c_str()));
  rd_kafka_DeleteTopic_t* topics[] = {topic.get()};
  ASSIGN_OR_RETURN(
      Holder<rd_kafka_event_t> event,
      impl_->Call(RD_KAFKA_ADMIN_OP_DELETETOPICS,
                  context,
                  [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                    rd_kafka_DeleteTopics(impl_->client.get(), topics, 1, options, queue);
                  }));
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    Status status = TopicStatus(results[i], context);
    if (!status.ok() && status.code() != Code::kNotFound) return status;
  }
  const SteadyTime deadline = SystemClock::Get().Now() + impl_->options.timeout;
  for (;;) {
    Result<int32_t> partitions = PartitionCount(name);
    if (!partitions.ok() && partitions.error().code() == Code::kNotFound) return {};
    if (SystemClock::Get().Now() > deadline) return Unavailable(context + ": still there");
    std::this_thread::sleep_for(kMetadataPeriod);
  }
}

Result<int32_t> Admin::PartitionCount(const std::string& topic) {
  ASSIGN_OR_RETURN(auto metadata, impl_->Metadata(&topic));
  if (metadata->topic_cnt != 1) return NotFound("topic " + topic);
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  RETURN_IF_ERROR(FromError(found.err, "topic " + topic));
  if (found.partition_cnt == 0) return NotFound("topic " + topic);
  return found.partition_cnt;
}

Result<std::map<std::string, int32_t>> Admin::ListTopics() {
  ASSIGN_OR_RETURN(auto metadata, impl_->Metadata(nullptr));
  std::map<std::string, int32_t> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& topic = metadata->topics[i];
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    if (std::string_view(topic.topic).starts_with("__")) continue;
    topics.emplace(topic.topic, topic.partition_cnt);
  }
  return topics;
}

Result<std::map<std::string, std::string>> Admin::DescribeConfig(const std::string& topic) {
  const std::string context = "describe topic=" + topic;
  Holder<rd_kafka_ConfigResource_t> resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  ASSIGN_OR_RETURN(
      Holder<rd_kafka_event_t> event,
      impl_->Call(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
                  context,
                  [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                    rd_kafka_DescribeConfigs(impl_->client.get(), resources, 1, options, queue);
                  }));
  std::map<std::string, std::string> config;
  size_t count = 0;
  const rd_kafka_ConfigResource_t** results = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    RETURN_IF_ERROR(FromError(rd_kafka_ConfigResource_error(results[i]), context));
    size_t entry_count = 0;
    const rd_kafka_ConfigEntry_t** entries =
        rd_kafka_ConfigResource_configs(results[i], &entry_count);
    for (size_t e = 0; e < entry_count; ++e) {
      const char* value = rd_kafka_ConfigEntry_value(entries[e]);
      config.emplace(rd_kafka_ConfigEntry_name(entries[e]), value == nullptr ? "" : value);
    }
  }
  return config;
}

Result<Admin::OffsetRange> Admin::QueryOffsets(const TopicPartition& partition) {
  OffsetRange range;
  RETURN_IF_ERROR(FromError(rd_kafka_query_watermark_offsets(impl_->client.get(),
                                                             partition.topic.c_str(),
                                                             partition.partition,
                                                             &range.begin,
                                                             &range.end,
                                                             impl_->timeout_ms()),
                            "offsets of " + ToString(partition)));
  return range;
}

Result<std::optional<int64_t>> Admin::OffsetAt(const TopicPartition& partition,
                                               int64_t timestamp_ms) {
  auto list = MakeList(1);
  rd_kafka_topic_partition_t& item =
      *rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
  item.offset = timestamp_ms;
  const std::string context = "offset by time of " + ToString(partition);
  RETURN_IF_ERROR(FromError(
      rd_kafka_offsets_for_times(impl_->client.get(), list.get(), impl_->timeout_ms()), context));
  RETURN_IF_ERROR(FromError(item.err, context));
  return item.offset < 0 ? std::nullopt : std::optional(item.offset);
}

Result<std::optional<int64_t>> Admin::CommittedOffset(const std::string& group_id,
                                                      const TopicPartition& partition) {
  auto list = MakeList(1);
  rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
  Holder<rd_kafka_ListConsumerGroupOffsets_t> group(
      rd_kafka_ListConsumerGroupOffsets_new(group_id.c_str(), list.get()));
  rd_kafka_ListConsumerGroupOffsets_t* groups[] = {group.get()};
  const std::string context = "offsets of group=" + group_id;
  ASSIGN_OR_RETURN(
      Holder<rd_kafka_event_t> event,
      impl_->Call(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
                  context,
                  [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                    rd_kafka_ListConsumerGroupOffsets(
                        impl_->client.get(), groups, 1, options, queue);
                  }));
  size_t count = 0;
  const rd_kafka_group_result_t** results = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
  if (count != 1) return Unavailable(context + ": no answer");
  if (const rd_kafka_error_t* error = rd_kafka_group_result_error(results[0])) {
    return FromError(*error, context);
  }
  const rd_kafka_topic_partition_list_t* offsets = rd_kafka_group_result_partitions(results[0]);
  if (offsets == nullptr || offsets->cnt != 1) return Unavailable(context + ": no answer");
  RETURN_IF_ERROR(FromError(offsets->elems[0].err, context));
  return offsets->elems[0].offset < 0 ? std::nullopt : std::optional(offsets->elems[0].offset);
}

Status Admin::DeleteRecords(const std::vector<PartitionOffset>& before) {
  auto list = MakeList(before.size());
  for (const PartitionOffset& position : before) {
    rd_kafka_topic_partition_list_add(
        list.get(), position.partition.topic.c_str(), position.partition.partition)
        ->offset = position.offset;
  }
  Holder<rd_kafka_DeleteRecords_t> records(rd_kafka_DeleteRecords_new(list.get()));
  rd_kafka_DeleteRecords_t* requests[] = {records.get()};
  ASSIGN_OR_RETURN(
      Holder<rd_kafka_event_t> event,
      impl_->Call(RD_KAFKA_ADMIN_OP_DELETERECORDS,
                  "delete records",
                  [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                    rd_kafka_DeleteRecords(impl_->client.get(), requests, 1, options, queue);
                  }));
  const rd_kafka_topic_partition_list_t* results =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  for (int i = 0; i < results->cnt; ++i) {
    const rd_kafka_topic_partition_t& item = results->elems[i];
    RETURN_IF_ERROR(
        FromError(item.err, fmt::format("delete records {}[{}]", item.topic, item.partition)));
  }
  return {};
}

Result<std::vector<Admin::GroupMember>> Admin::GroupMembers(const std::string& group_id) {
  const std::string context = "members of group=" + group_id;
  const char* groups[] = {group_id.c_str()};
  ASSIGN_OR_RETURN(
      Holder<rd_kafka_event_t> event,
      impl_->Call(RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
                  context,
                  [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                    rd_kafka_DescribeConsumerGroups(impl_->client.get(), groups, 1, options, queue);
                  }));
  size_t count = 0;
  const rd_kafka_ConsumerGroupDescription_t** results =
      rd_kafka_DescribeConsumerGroups_result_groups(
          rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  if (count != 1) return Internal(context + ": no answer about it");
  const rd_kafka_ConsumerGroupDescription_t* group = results[0];
  if (const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(group)) {
    RETURN_IF_ERROR(FromError(*error, context));
  }
  const rd_kafka_consumer_group_state_t state = rd_kafka_ConsumerGroupDescription_state(group);
  if (state != RD_KAFKA_CONSUMER_GROUP_STATE_STABLE) {
    return Unavailable(
        fmt::format("{}: it is {}", context, rd_kafka_consumer_group_state_name(state)));
  }
  std::vector<GroupMember> members;
  for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(group); ++i) {
    const rd_kafka_MemberDescription_t* member = rd_kafka_ConsumerGroupDescription_member(group, i);
    const char* instance = rd_kafka_MemberDescription_group_instance_id(member);
    const bool is_static = instance != nullptr && *instance != '\0';
    members.push_back(
        {.name = is_static ? instance : rd_kafka_MemberDescription_consumer_id(member),
         .client_id = rd_kafka_MemberDescription_client_id(member)});
  }
  std::sort(members.begin(), members.end(), [](const GroupMember& a, const GroupMember& b) {
    return a.name < b.name;
  });
  return members;
}

Status Admin::DeleteGroup(const std::string& group_id) {
  const std::string context = "delete group=" + group_id;
  Holder<rd_kafka_DeleteGroup_t> group(rd_kafka_DeleteGroup_new(group_id.c_str()));
  rd_kafka_DeleteGroup_t* groups[] = {group.get()};
  ASSIGN_OR_RETURN(
      Holder<rd_kafka_event_t> event,
      impl_->Call(RD_KAFKA_ADMIN_OP_DELETEGROUPS,
                  context,
                  [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                    rd_kafka_DeleteGroups(impl_->client.get(), groups, 1, options, queue);
                  }));
  size_t count = 0;
  const rd_kafka_group_result_t** results =
      rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_error_t* error = rd_kafka_group_result_error(results[i]);
    if (error == nullptr) continue;
    Status status = FromError(*error, context);
    if (status.code() != Code::kNotFound) return status;
  }
  return {};
}

std::string Admin::last_error() const {
  return impl_->last_error();
}

}  // namespace slipstream::kafka
