#include "processor/runtime/job_topics.h"

#include <algorithm>

#include <fmt/format.h>

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
Status GrowChangelog(kafka::Admin& admin, const std::string& topic, int32_t partitions) {
  Result<int32_t> count = admin.PartitionCount(topic);
  if (!count.ok()) return count.error().code() == Code::kNotFound ? Status() : count.error();
  if (*count >= partitions) return {};
  return admin.GrowTopic(topic, partitions);
}

// Deleted below the committed offsets by those who read it, and by nobody else.
const kafka::Properties& RepartitionConfig() {
  static const kafka::Properties config = {{"cleanup.policy", "delete"},
                                           {"retention.ms", "-1"},
                                           {"retention.bytes", "-1"},
                                           {"segment.bytes", "67108864"}};
  return config;
}

// The number of its partitions is that of its first start: rows of a key must go on to the task
// that has the key's state.
Status EnsureRepartitionTopic(kafka::Admin& admin,
                              const RepartitionSpec& spec,
                              int32_t source_partitions,
                              JobInput& input) {
  Result<int32_t> count = admin.PartitionCount(input.topic);
  if (!count.ok() && count.error().code() != Code::kNotFound) return count.error();
  input.partition_count = spec.is_single ? 1 : count.ok() ? *count : source_partitions;
  return admin.EnsureTopic({.name = input.topic,
                            .partition_count = input.partition_count,
                            .config = RepartitionConfig()});
}

// The files of each task are those of its number among so many.
Status EnsurePulledTopic(kafka::Admin& admin, const JobInput& input) {
  const Result<int32_t> count = admin.PartitionCount(input.topic);
  if (!count.ok() && count.error().code() != Code::kNotFound) return count.error();
  if (count.ok() && *count != input.partition_count) {
    return FailedPrecondition(
        fmt::format("{}: the job has shared its files among {} tasks, and is to go on with {} "
                    "('scan.parallelism'): set it back, or run the job with --fresh",
                    input.topic,
                    *count,
                    input.partition_count));
  }
  return admin.EnsureTopic({.name = input.topic,
                            .partition_count = input.partition_count,
                            .config = RepartitionConfig()});
}

Status EnsureChangelogs(kafka::Admin& admin, const JobContext& context) {
  for (uint32_t stage = 0; stage < context.stages.size(); ++stage) {
    int32_t partitions = 1;
    for (const JobInput& input : context.inputs) {
      if (input.stage == stage) partitions = std::max(partitions, input.partition_count);
    }
    const std::string& topic = context.stages[stage].changelog_topic;
    RETURN_IF_ERROR(GrowChangelog(admin, topic, partitions));
    RETURN_IF_ERROR(admin.EnsureTopic(
        {.name = topic, .partition_count = partitions, .config = CompactedConfig()}));
  }
  return {};
}

}  // namespace

Status WaitForSourceTopics(kafka::Admin& admin, JobContext& context, const std::stop_token& stop) {
  for (JobInput& input : context.inputs) {
    if (!input.source) continue;
    if (input.spec->is_pulled()) {
      input.partition_count = input.spec->pull_tasks;
      continue;
    }
    const PatienceOptions patience{.waiting_for = "topic",
                                   .timeout = context.options.connect_timeout,
                                   .stop = stop,
                                   .transient = Code::kNotFound};
    RETURN_IF_ERROR(Persist(patience, [&]() -> Status {
                      ASSIGN_OR_RETURN(input.partition_count, admin.PartitionCount(input.topic));
                      return {};
                    }).WithContext("source"));
  }
  return {};
}

Status EnsureJobTopics(kafka::Admin& admin, JobContext& context) {
  int32_t partitions = 1;
  for (const JobInput& input : context.inputs) {
    if (input.source) partitions = std::max(partitions, input.partition_count);
    if (input.spec != nullptr && input.spec->is_pulled()) {
      RETURN_IF_ERROR(EnsurePulledTopic(admin, input));
    }
  }
  for (uint32_t stage = 1; stage < context.stages.size(); ++stage) {
    RETURN_IF_ERROR(EnsureRepartitionTopic(admin,
                                           context.program->repartitions()[stage - 1],
                                           partitions,
                                           context.inputs[context.stages[stage].input]));
  }
  RETURN_IF_ERROR(EnsureChangelogs(admin, context));
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
  for (const JobInput& input : context.inputs) {
    RETURN_IF_ERROR(
        create_missing(context.output_topics[input.dead_letter_output], {.partition_count = 1}));
  }
  for (const std::optional<size_t>& output : context.late_outputs) {
    if (!output) continue;
    RETURN_IF_ERROR(create_missing(context.output_topics[*output], {.partition_count = 1}));
  }
  if (!context.options.is_status_published) return {};
  return create_missing(kStatusTopic,
                        {.partition_count = 1, .config = {{"cleanup.policy", "compact"}}});
}

}  // namespace slipstream::runtime
