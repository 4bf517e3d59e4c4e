#include "processor/runtime/job_topics.h"

#include <algorithm>

#include "processor/runtime/patience.h"

namespace slipstream::runtime {
namespace {

const kafka::Properties& CompactedConfig() {
  static const kafka::Properties config = {{"cleanup.policy", "compact"},
                                           {"segment.bytes", "67108864"},
                                           {"min.cleanable.dirty.ratio", "0.1"},
                                           {"max.compaction.lag.ms", "600000"}};
  return config;
}

// A source topic that grew needs a changelog that has grown with it. Whether the job can take the
// new partitions in is told where they are taken over.
Status GrowChangelog(kafka::Admin& admin, const JobContext& context, int32_t partitions) {
  Result<int32_t> count = admin.PartitionCount(context.changelog_topic);
  if (!count.ok()) return count.error().code() == Code::kNotFound ? Status() : count.error();
  if (*count >= partitions) return {};
  return admin.GrowTopic(context.changelog_topic, partitions);
}

}  // namespace

Status WaitForSourceTopics(kafka::Admin& admin, JobContext& context, const std::stop_token& stop) {
  context.partition_counts.clear();
  for (const std::string& topic : context.topics()) {
    int32_t count = 0;
    const PatienceOptions patience{.waiting_for = "topic",
                                   .timeout = context.options.connect_timeout,
                                   .stop = stop,
                                   .transient = Code::kNotFound};
    RETURN_IF_ERROR(Persist(patience, [&]() -> Status {
                      ASSIGN_OR_RETURN(count, admin.PartitionCount(topic));
                      return {};
                    }).WithContext("source"));
    context.partition_counts.push_back(count);
  }
  return {};
}

Status EnsureJobTopics(kafka::Admin& admin, JobContext& context) {
  const int32_t partitions =
      *std::max_element(context.partition_counts.begin(), context.partition_counts.end());
  RETURN_IF_ERROR(GrowChangelog(admin, context, partitions));
  RETURN_IF_ERROR(admin.EnsureTopic({.name = context.changelog_topic,
                                     .partition_count = partitions,
                                     .config = CompactedConfig()}));
  RETURN_IF_ERROR(admin.EnsureTopic(
      {.name = context.time_topic, .partition_count = 1, .config = CompactedConfig()}));
  auto create_missing = [&](const std::string& topic, kafka::Admin::TopicSpec spec) -> Status {
    Result<int32_t> count = admin.PartitionCount(topic);
    if (count.ok() || count.error().code() != Code::kNotFound) return count.status();
    spec.name = topic;
    Status status = admin.CreateTopic(spec);
    return status.code() == Code::kAlreadyExists ? Status() : status;
  };
  context.sink_partition_counts.clear();
  for (const KafkaSinkSpec& sink : context.program->kafka_sinks()) {
    kafka::Admin::TopicSpec spec{.partition_count = partitions};
    if (sink.is_upsert) spec.config = {{"cleanup.policy", "compact"}};
    RETURN_IF_ERROR(create_missing(sink.topic, spec));
    int32_t& count = context.sink_partition_counts.emplace_back();
    if (sink.is_fixed) {
      ASSIGN_OR_RETURN(count, admin.PartitionCount(sink.topic));
    }
  }
  for (size_t output : context.dead_letter_outputs) {
    RETURN_IF_ERROR(create_missing(context.output_topics[output], {.partition_count = 1}));
  }
  if (!context.options.is_status_published) return {};
  return create_missing(kStatusTopic,
                        {.partition_count = 1, .config = {{"cleanup.policy", "compact"}}});
}

}  // namespace slipstream::runtime
