#include "common/kafka/group_consumer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/kafka/client.h"

namespace slipstream::kafka {
namespace {

constexpr uint64_t kEventFdIncrement = 1;

std::vector<TopicPartition> ToPartitions(const rd_kafka_topic_partition_list_t* list) {
  std::vector<TopicPartition> partitions;
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    partitions.push_back({list->elems[i].topic, list->elems[i].partition});
  }
  return partitions;
}

Properties ConsumerDefaults(const GroupConsumer::Options& options) {
  const size_t fetch_bytes_max = std::min<size_t>(options.queue_bytes_max, size_t{4} << 20);
  Properties defaults = FetchDefaults(options.queue_bytes_max);
  defaults.emplace_back("fetch.message.max.bytes", std::to_string(fetch_bytes_max));
  defaults.emplace_back("fetch.wait.max.ms", "100");
  // A topic that has grown is noticed by this, and shared out anew.
  defaults.emplace_back("topic.metadata.refresh.interval.ms", "60000");
  return defaults;
}

// What the commit protocol stands on: not for users to change.
Properties ConsumerLaws(const GroupConsumer::Options& options) {
  Properties laws = {
      {"group.id", options.group_id},
      {"session.timeout.ms", std::to_string(options.session_timeout.count())},
      {"heartbeat.interval.ms", "1000"},
      {"max.poll.interval.ms", std::to_string(options.max_poll_interval.count())},
      {"partition.assignment.strategy", "range"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},
      {"isolation.level", "read_committed"},
  };
  if (!options.instance_id.empty()) laws.emplace_back("group.instance.id", options.instance_id);
  if (!options.client_id.empty()) laws.emplace_back("client.id", options.client_id);
  return laws;
}

}  // namespace

struct GroupConsumer::Impl final : ClientEvents {
  Impl(const Options& consumer_options, Listener& the_listener)
      : ClientEvents(consumer_options.logger), options(consumer_options), listener(the_listener) {}

  void OnRebalance(rd_kafka_resp_err_t event, rd_kafka_topic_partition_list_t* list) {
    std::vector<TopicPartition> partitions = ToPartitions(list);
    if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && is_closed) {
      // Came while leaving. Exactly one call: the group ends with it, and another would wait for an
      // answer for ever.
      rd_kafka_assign(client.get(), nullptr);
      return;
    }
    if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
      Result<GroupMetadata> group =
          GroupMetadata::Take(rd_kafka_consumer_group_metadata(client.get()));
      if (!group.ok()) {
        // Nothing could be committed, and a member that only waits would hold on to partitions
        // that nobody reads: the caller must hear of it.
        refusal = group.status().WithContext("assignment refused");
        rd_kafka_assign(client.get(), nullptr);
        return;
      }
      logger->info("partitions_assigned group={} generation={} count={}",
                   options.group_id,
                   group->generation(),
                   partitions.size());
      listener.OnAssigned(partitions, *group);
      return;
    }
    const bool is_lost = rd_kafka_assignment_lost(client.get()) != 0;
    logger->info("partitions_revoked group={} count={} lost={}",
                 options.group_id,
                 partitions.size(),
                 is_lost);
    listener.OnRevoked(partitions, is_lost);
    rd_kafka_assign(client.get(), nullptr);
  }

  const Options options;
  Listener& listener;
  bool is_closed = false;
  Status refusal;  // of an assignment, until Poll returns it
  Holder<rd_kafka_t> client;
  Holder<rd_kafka_queue_t> nothing;  // a queue that stays empty; goes before the client
};

GroupConsumer::GroupConsumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GroupConsumer::~GroupConsumer() {
  impl_->nothing.reset();
  // Closing would call the listener, which may be half gone by now.
  rd_kafka_destroy_flags(impl_->client.release(),
                         impl_->is_closed ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

Result<std::unique_ptr<GroupConsumer>> GroupConsumer::Create(const Options& options,
                                                             Listener& listener) {
  auto impl = std::make_unique<Impl>(options, listener);
  Properties properties = options.properties;
  for (auto& law : ConsumerLaws(options))
    properties.push_back(std::move(law));
  ASSIGN_OR_RETURN(Holder<rd_kafka_conf_t> conf,
                   MakeConf(ConsumerDefaults(options), properties, *impl));
  rd_kafka_conf_set_rebalance_cb(
      conf.get(),
      [](rd_kafka_t*,
         rd_kafka_resp_err_t event,
         rd_kafka_topic_partition_list_t* list,
         void* opaque) {
        static_cast<Impl*>(static_cast<ClientEvents*>(opaque))->OnRebalance(event, list);
      });
  ASSIGN_OR_RETURN(impl->client, MakeClient(RD_KAFKA_CONSUMER, std::move(conf)));
  rd_kafka_poll_set_consumer(impl->client.get());
  impl->nothing.reset(rd_kafka_queue_new(impl->client.get()));
  if (options.event_fd >= 0) {
    Holder<rd_kafka_queue_t> queue(rd_kafka_queue_get_consumer(impl->client.get()));
    rd_kafka_queue_io_event_enable(
        queue.get(), options.event_fd, &kEventFdIncrement, sizeof(kEventFdIncrement));
  }
  return std::unique_ptr<GroupConsumer>(new GroupConsumer(std::move(impl)));
}

Status GroupConsumer::Subscribe(const std::vector<std::string>& topics) {
  auto list = MakeList(topics.size());
  for (const std::string& topic : topics) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  return FromError(rd_kafka_subscribe(impl_->client.get(), list.get()), "subscribe");
}

Status GroupConsumer::Poll(std::chrono::milliseconds timeout) {
  rd_kafka_message_t* message = rd_kafka_consumer_poll(impl_->client.get(), ToTimeoutMs(timeout));
  if (message == nullptr) return std::exchange(impl_->refusal, Status());
  Status status;
  switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      // Everything assigned has a queue of its own, so nothing may ever come this way.
      status = Internal(fmt::format("record outside of its queue offset={}", message->offset));
      break;
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID: {
      char reason[256] = "";
      rd_kafka_fatal_error(impl_->client.get(), reason, sizeof(reason));
      status = Aborted(fmt::format("consumer: {}", reason));
      break;
    }
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      // The partitions are revoked as lost by the next Poll, which also joins again.
      impl_->logger->warn("poll_overdue group={}", impl_->options.group_id);
      break;
    default:
      impl_->logger->debug("consumer_failed reason={}", rd_kafka_message_errstr(message));
      break;
  }
  rd_kafka_message_destroy(message);
  if (status.ok()) status = std::exchange(impl_->refusal, Status());
  return status;
}

void GroupConsumer::KeepPlace() {
  // Reading any queue of the client counts as a poll.
  rd_kafka_message_t* none = nullptr;
  rd_kafka_consume_batch_queue(impl_->nothing.get(), 0, &none, 1);
}

Result<std::vector<PartitionOffset>> GroupConsumer::Committed(
    const std::vector<TopicPartition>& partitions, std::chrono::milliseconds timeout) {
  auto list = MakeList(partitions.size());
  for (const TopicPartition& partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
  }
  RETURN_IF_ERROR(FromError(
      rd_kafka_committed(impl_->client.get(), list.get(), ToTimeoutMs(timeout)), "committed"));
  std::vector<PartitionOffset> offsets;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& item = list->elems[i];
    TopicPartition partition{item.topic, item.partition};
    RETURN_IF_ERROR(FromError(item.err, "committed " + ToString(partition)));
    if (item.offset < 0) continue;
    offsets.push_back(
        {.partition = std::move(partition),
         .offset = item.offset,
         .metadata = std::string(static_cast<const char*>(item.metadata), item.metadata_size)});
  }
  return offsets;
}

Result<std::vector<std::unique_ptr<PartitionQueue>>> GroupConsumer::Assign(
    const std::vector<PartitionOffset>& positions) {
  return PartitionQueue::Assign(
      impl_->client.get(),
      positions,
      {.queue_bytes_max = impl_->options.queue_bytes_max, .event_fd = impl_->options.event_fd});
}

int64_t GroupConsumer::KnownEndOffset(const TopicPartition& partition) const {
  return kafka::KnownEndOffset(impl_->client.get(), partition);
}

void GroupConsumer::Close() {
  if (impl_->is_closed) return;
  impl_->is_closed = true;
  rd_kafka_consumer_close(impl_->client.get());
}

std::string GroupConsumer::last_error() const {
  return impl_->last_error();
}

}  // namespace slipstream::kafka
