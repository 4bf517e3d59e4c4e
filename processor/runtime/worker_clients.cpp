#include <algorithm>

#include <fmt/format.h>

#include "processor/runtime/worker_impl.h"

namespace slipstream::runtime {
namespace {

// Fetched and not yet read, over all partitions of a worker; librdkafka's bookkeeping comes on top.
constexpr size_t kFetchBytesMax = size_t{8} << 20;
constexpr size_t kPartitionFetchBytesMin = size_t{1} << 20;

}  // namespace

Status Worker::Impl::Open() {
  const kafka::Properties& properties = context.source_properties;
  ASSIGN_OR_RETURN(admin,
                   kafka::Admin::Create({.properties = properties, .timeout = kAttemptTimeout}));
  ASSIGN_OR_RETURN(
      admin_uncommitted,
      kafka::Admin::Create(
          {.properties = properties, .timeout = kAttemptTimeout, .sees_uncommitted = true}));
  ASSIGN_OR_RETURN(changelog, kafka::PartitionReader::Create({.properties = properties}));
  // So that it knows the topic by the time the first task is restored.
  RETURN_IF_ERROR(
      changelog->Start({context.stages.front().changelog_topic, 0}, kafka::kOffsetBeginning));
  RETURN_IF_ERROR(shared_time.Open());
  RETURN_IF_ERROR(standbys.Open());
  RETURN_IF_ERROR(unguarded.Open(context));
  store_deadline = clock.Now() + context.options.connect_timeout;
  return OpenConsumer();
}

Status Worker::Impl::OpenConsumer() {
  kafka::GroupConsumer::Options options{
      .properties = context.source_properties,
      .group_id = context.group_id,
      .instance_id = context.options.is_temporary ? "" : InstanceId(),
      .session_timeout = context.options.session_timeout,
      .event_fd = event.fd()};
  // Heirs of a task are chosen in other processes than its owner's.
  if (context.options.standby_count > 0) options.client_id = context.process;
  const size_t share = kFetchBytesMax / std::max<size_t>(context.task_count(), 1);
  options.queue_bytes_max = std::max(share, kPartitionFetchBytesMin);
  ASSIGN_OR_RETURN(consumer, kafka::GroupConsumer::Create(options, *this));
  return {};
}

// The consumer is fenced, or says so: when its brokers were away for longer than its session and
// the worker was busy meanwhile, librdkafka (2.0.2) goes on sending heartbeats, without the member
// id that it has already given up, and takes the refusal for another of the same instance id
// (confluentinc/librdkafka#3437). Either way the partitions are gone and this consumer never comes
// back. Another joins in its place, under the same name; two processes that really share a name do
// this to each other until both have had enough.
Status Worker::Impl::ReplaceConsumer(const Status& why) {
  RETURN_IF_ERROR(failures.OnClientBroken(why));
  log->warn("consumer_replaced worker={} reason={}", slot, log::Quoted(why.ToString()));
  assignment.Release();
  consumer.reset();
  RETURN_IF_ERROR(OpenConsumer());
  return consumer->Subscribe(context.topics());
}

// The slot, and how many partitions there are: a static member that comes back gets its old
// partitions without a rebalance, so after a topic has grown nobody would ever get the new ones.
std::string Worker::Impl::InstanceId() const {
  return fmt::format("{}-p{}", slot, context.task_count());
}

Status Worker::Impl::OpenTransactions() {
  Status status = transactions.Open(kAttemptTimeout);
  if (status.ok()) {
    waiting_for.clear();
    return {};
  }
  if (status.code() == Code::kUnavailable) {
    SayWaiting("transactions: " + status.message());
    return {};
  }
  return status.code() == Code::kInvalidArgument ? status : failures.OnClientBroken(status);
}

}  // namespace slipstream::runtime
