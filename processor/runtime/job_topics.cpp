#include "processor/runtime/job_topics.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "common/log/log.h"
#include "common/sync/mutex.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRetryPeriod{200};
constexpr std::chrono::seconds kMessagePeriod{5};

const kafka::Properties& CompactedConfig() {
  static const kafka::Properties config = {{"cleanup.policy", "compact"},
                                           {"segment.bytes", "67108864"},
                                           {"min.cleanable.dirty.ratio", "0.1"},
                                           {"max.compaction.lag.ms", "600000"}};
  return config;
}

// Returns early, with false, when stopped.
bool Sleep(const std::stop_token& stop, milliseconds duration) {
  Mutex mutex;
  CondVar woken;
  std::stop_callback wake(stop, [&] {
    MutexLock lock(mutex);
    woken.NotifyAll();
  });
  MutexLock lock(mutex);
  if (!stop.stop_requested()) woken.WaitFor(mutex, duration);
  return !stop.stop_requested();
}

// Repeats `attempt` while it fails with `transient` or kUnavailable; says every few seconds why.
template <class Attempt>
Status Persist(Code transient,
               const char* waiting_for,
               milliseconds timeout,
               const std::stop_token& stop,
               Attempt attempt) {
  const Clock& clock = SystemClock::Get();
  const SteadyTime deadline = clock.Now() + timeout;
  SteadyTime next_message = clock.Now();
  for (;;) {
    Status status = attempt();
    if (status.code() != transient && status.code() != Code::kUnavailable) return status;
    const SteadyTime now = clock.Now();
    if (now >= deadline) return status;
    if (now >= next_message) {
      next_message = now + kMessagePeriod;
      log::Get("processor.job")
          ->warn("waiting for={} reason={}", waiting_for, log::Quoted(status.message()));
    }
    if (!Sleep(stop, kRetryPeriod)) {
      return Cancelled(fmt::format("stopped while waiting for {}", waiting_for));
    }
  }
}

}  // namespace

Status WaitForSourceTopics(kafka::Admin& admin, JobContext& context, const std::stop_token& stop) {
  context.partition_counts.clear();
  for (const std::string& topic : context.topics()) {
    int32_t count = 0;
    RETURN_IF_ERROR(
        Persist(Code::kNotFound, "topic", context.options.connect_timeout, stop, [&]() -> Status {
          ASSIGN_OR_RETURN(count, admin.PartitionCount(topic));
          return {};
        }).WithContext("source"));
    context.partition_counts.push_back(count);
  }
  return {};
}

Status DiscardJob(kafka::Admin& admin, const JobContext& context, const std::stop_token& stop) {
  // Members that died keep their place until their session ends.
  const milliseconds timeout = context.options.session_timeout + std::chrono::seconds(10);
  Status status = Persist(Code::kUnavailable, "group_members", timeout, stop, [&] {
    return admin.DeleteGroup(context.group_id);
  });
  if (status.code() == Code::kUnavailable) {
    return FailedPrecondition(
        fmt::format("--fresh: the job is still running somewhere (group {} has members): {}",
                    context.group_id,
                    status.message()));
  }
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(admin.DeleteTopic(context.changelog_topic));
  RETURN_IF_ERROR(admin.DeleteTopic(context.time_topic));
  log::Get("processor.job")->info("state_discarded job={}", context.options.job_name);
  return {};
}

Status EnsureJobTopics(kafka::Admin& admin, const JobContext& context) {
  const int32_t partitions =
      *std::max_element(context.partition_counts.begin(), context.partition_counts.end());
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
  for (const KafkaSinkSpec& sink : context.program->kafka_sinks()) {
    kafka::Admin::TopicSpec spec{.partition_count = partitions};
    if (sink.is_upsert) spec.config = {{"cleanup.policy", "compact"}};
    RETURN_IF_ERROR(create_missing(sink.topic, spec));
  }
  for (size_t output : context.dead_letter_outputs) {
    RETURN_IF_ERROR(create_missing(context.output_topics[output], {.partition_count = 1}));
  }
  if (!context.options.is_status_published) return {};
  return create_missing(kStatusTopic,
                        {.partition_count = 1, .config = {{"cleanup.policy", "compact"}}});
}

}  // namespace slipstream::runtime
