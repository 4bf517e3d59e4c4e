#include "processor/batch/batch_topics.h"

#include <utility>

#include "common/kafka/admin.h"
#include "common/kafka/reachability.h"

namespace slipstream::processor {
namespace {

Status EnsureTopic(const runtime::KafkaSinkSpec& spec,
                   const kafka::Properties& properties,
                   std::chrono::milliseconds timeout) {
  ASSIGN_OR_RETURN(std::unique_ptr<kafka::Admin> admin,
                   kafka::Admin::Create({.properties = properties, .timeout = timeout}));
  Status found = admin->PartitionCount(spec.topic).status();
  if (found.code() != Code::kNotFound) return found;
  kafka::Admin::TopicSpec topic{.name = spec.topic, .partition_count = 1};
  if (spec.is_upsert) topic.config = {{"cleanup.policy", "compact"}};
  Status status = admin->CreateTopic(topic);
  return status.code() == Code::kAlreadyExists ? Status() : status;
}

}  // namespace

Result<std::unique_ptr<BatchTopics>> BatchTopics::Open(
    const std::vector<runtime::KafkaSinkSpec>& sinks,
    const kafka::Properties& properties,
    std::chrono::milliseconds connect_timeout,
    const std::stop_token& stop) {
  std::unique_ptr<BatchTopics> topics(new BatchTopics(connect_timeout, stop));
  for (const runtime::KafkaSinkSpec& spec : sinks) {
    kafka::Properties all = properties;
    all.insert(all.end(), spec.properties.begin(), spec.properties.end());
    RETURN_IF_ERROR(kafka::WaitForBrokers(
        {.properties = all, .connect_timeout = connect_timeout, .stop = stop, .on_waiting = {}}));
    RETURN_IF_ERROR(EnsureTopic(spec, all, connect_timeout));
    Sink& sink = topics->sinks_.emplace_back();
    if (spec.is_fixed) sink.partition = 0;
    ASSIGN_OR_RETURN(sink.producer, kafka::Producer::Create({.properties = all}));
    ASSIGN_OR_RETURN(sink.topic, sink.producer->OpenTopic(spec.topic));
  }
  return topics;
}

Status BatchTopics::Send(size_t sink, const runtime::OutputRecord& record) {
  headers_.clear();
  for (const runtime::Header& header : record.headers)
    headers_.push_back({.name = header.name, .value = header.value});
  const Sink& to = sinks_[sink];
  return to.producer->Produce(*to.topic,
                              {.key = record.key,
                               .value = record.value,
                               .partition = to.partition >= 0 ? to.partition : record.partition,
                               .timestamp_ms = record.timestamp_ms,
                               .headers = headers_.data(),
                               .header_count = headers_.size()},
                              stop_);
}

Status BatchTopics::Flush() {
  for (const Sink& sink : sinks_) {
    RETURN_IF_ERROR(sink.producer->Flush(timeout_));
    RETURN_IF_ERROR(sink.producer->failure());
  }
  return {};
}

}  // namespace slipstream::processor
