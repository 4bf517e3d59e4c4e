#include "processor/runtime/job_context.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "processor/connectors/sink_location.h"

namespace slipstream::runtime {
namespace {

// Kafka's rule for topic names, with room for what is appended.
constexpr size_t kJobNameBytesMax = 200;

Status CheckJobName(const std::string& name) {
  const bool is_legal = !name.empty() && name.size() <= kJobNameBytesMax && name.front() != '.' &&
                        std::all_of(name.begin(), name.end(), [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                 (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
                        });
  if (is_legal) return {};
  return InvalidArgument(fmt::format(
      "job name \"{}\": only letters, digits, '.', '_' and '-' (SET 'pipeline.name')", name));
}

size_t OutputIndex(std::vector<std::string>& topics, const std::string& topic) {
  auto found = std::find(topics.begin(), topics.end(), topic);
  if (found != topics.end()) return static_cast<size_t>(found - topics.begin());
  topics.push_back(topic);
  return topics.size() - 1;
}

std::string PropertyOf(const kafka::Properties& properties, std::string_view name) {
  std::string value;
  for (const auto& [key, text] : properties) {
    if (key == name) value = text;
  }
  return value;
}

// A transaction covers one Kafka cluster: the one that keeps the source's offsets.
Status CheckSinkClusters(const JobContext& context) {
  const std::string source = PropertyOf(context.source_properties, "bootstrap.servers");
  for (const KafkaSinkSpec& sink : context.program->kafka_sinks()) {
    const std::string brokers = PropertyOf(sink.properties, "bootstrap.servers");
    if (!sink.exactly_once || brokers.empty() || brokers == source) continue;
    return Unimplemented(fmt::format(
        "sink topic {} is at {}, the source at {}: exactly-once needs both in one cluster "
        "('sink.delivery-guarantee' = 'at-least-once' does not)",
        sink.topic,
        brokers,
        source));
  }
  return {};
}

Status AddFileSinks(JobContext& context) {
  const std::vector<FileSinkSpec>& sinks = context.program->file_sinks();
  std::optional<std::string> authority;
  for (size_t i = 0; i < sinks.size(); ++i) {
    ASSIGN_OR_RETURN(SinkLocation location, ParseSinkLocation(sinks[i].path));
    FileSinkTarget target{.folder = std::move(location.folder), .spec = sinks[i]};
    if (!location.is_dfs) {
      context.local_targets.emplace_back(i, std::move(target));
      continue;
    }
    if (authority && *authority != location.authority) {
      return Unimplemented(fmt::format(
          "one job writes to two file systems: {} and {}", *authority, location.authority));
    }
    authority = location.authority;
    context.dfs_targets.emplace_back(i, std::move(target));
  }
  if (!authority) return {};
  if (!context.options.open_store) return InvalidArgument("a dfs sink without a master");
  ASSIGN_OR_RETURN(context.store, context.options.open_store(*authority));
  return {};
}

}  // namespace

std::optional<uint8_t> JobContext::InputOf(std::string_view topic) const {
  auto found = std::find(topics().begin(), topics().end(), topic);
  if (found == topics().end()) return std::nullopt;
  return static_cast<uint8_t>(found - topics().begin());
}

size_t JobContext::task_count() const {
  return static_cast<size_t>(
      std::accumulate(partition_counts.begin(), partition_counts.end(), int32_t{0}));
}

kafka::Properties Join(const kafka::Properties& base, const kafka::Properties& over) {
  kafka::Properties all = base;
  all.insert(all.end(), over.begin(), over.end());
  return all;
}

Result<JobContext> MakeJobContext(const JobProgram& program, JobOptions options) {
  RETURN_IF_ERROR(CheckJobName(options.job_name));
  const KafkaSourceSpec& source = program.source();
  if (source.topics.empty()) return InvalidArgument("the source names no topic");
  if (source.topics.size() > std::numeric_limits<uint8_t>::max()) {
    return InvalidArgument("the source names more than 255 topics");
  }
  JobContext context;
  context.program = &program;
  context.options = std::move(options);
  const std::string& job = context.options.job_name;
  context.group_id = source.group_id.empty() ? job : source.group_id;
  context.changelog_topic = fmt::format("{}-{}-changelog", job, kStage);
  context.time_topic = job + "-time";
  context.source_properties = Join(context.options.kafka_properties, source.properties);
  RETURN_IF_ERROR(CheckSinkClusters(context));
  char host[256] = "";
  if (gethostname(host, sizeof(host) - 1) != 0) return ErrnoStatus(errno, "gethostname");
  context.host = host;

  std::vector<std::string>& topics = context.output_topics;
  context.changelog_output = OutputIndex(topics, context.changelog_topic);
  context.time_output = OutputIndex(topics, context.time_topic);
  for (const KafkaSinkSpec& sink : program.kafka_sinks()) {
    context.sink_outputs.push_back(OutputIndex(topics, sink.topic));
  }
  for (const std::string& topic : source.topics) {
    context.dead_letter_outputs.push_back(OutputIndex(
        topics,
        source.dead_letter_topic.empty() ? topic + ".dead-letter" : source.dead_letter_topic));
  }
  RETURN_IF_ERROR(AddFileSinks(context));
  return context;
}

}  // namespace slipstream::runtime
