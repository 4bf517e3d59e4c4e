#include "processor/runtime/job_context.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "common/net/host_port.h"
#include "processor/connectors/sink_location.h"
#include "processor/state/job_record.h"

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

template <class Number>
bool Contains(const std::vector<Number>& numbers, Number number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

// Behind AddSources and AddStages.
void AddSinkInputs(JobContext& context) {
  for (const FileSinkSpec& sink : context.program->file_sinks()) {
    std::vector<uint8_t>& writers = context.sink_inputs.emplace_back();
    for (size_t i = 0; i < context.inputs.size(); ++i) {
      JobInput& input = context.inputs[i];
      const bool writes =
          input.source ? Contains(sink.sources, *input.source) : Contains(sink.stages, input.stage);
      if (!writes) continue;
      writers.push_back(static_cast<uint8_t>(i));
      if (sink.is_timed()) input.writes_timed_folders = true;
    }
  }
}

Status AddFileSinks(JobContext& context) {
  const std::vector<FileSinkSpec>& sinks = context.program->file_sinks();
  AddSinkInputs(context);
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

// ---- Inputs and stages ----

// The inputs of stage 0: the topics of all sources.
Status AddSources(JobContext& context) {
  const std::vector<KafkaSourceSpec>& sources = context.program->sources();
  const kafka::Properties& own = context.options.kafka_properties;
  const auto brokers = [&](const KafkaSourceSpec& source) {
    return PropertyOf(Join(own, source.properties), "bootstrap.servers");
  };
  context.source_properties = own;
  const KafkaSourceSpec* first = nullptr;  // that says where its topics are
  for (size_t i = 0; i < sources.size(); ++i) {
    const KafkaSourceSpec& source = sources[i];
    if (first == nullptr && !source.is_pulled()) first = &source;
    if (first != nullptr && !source.is_pulled() && brokers(source) != brokers(*first)) {
      return Unimplemented(fmt::format("the job's sources are in two Kafka clusters: {} and {}",
                                       brokers(*first),
                                       brokers(source)));
    }
    context.source_properties = Join(context.source_properties, source.properties);
    if (source.topics.empty()) return InvalidArgument("a source names no topic");
    for (const std::string& name : source.topics) {
      const std::string topic = source.is_pulled() ? context.options.job_name + "-" + name : name;
      if (context.InputOf(topic)) {
        return Unimplemented(fmt::format(
            "tables of the job read topic {} together with different others: each has to name the "
            "same topics",
            topic));
      }
      context.inputs.push_back({.topic = topic,
                                .place = static_cast<uint32_t>(context.inputs.size()),
                                .source = i,
                                .spec = &source});
    }
  }
  return context.inputs.empty() ? InvalidArgument("the job reads no topic") : Status();
}

void AddExchange(JobContext& context, uint32_t stage, const RepartitionSpec::Exchange& exchange) {
  ExchangeSenders senders{.exchange = exchange.number, .inputs = {}};
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    JobInput& input = context.inputs[i];
    const bool sends = input.source ? Contains(exchange.sources, *input.source)
                                    : Contains(exchange.stages, input.stage);
    if (!sends) continue;
    senders.inputs.push_back(static_cast<uint8_t>(i));
    if (!Contains(input.feeds, stage)) input.feeds.push_back(stage);
  }
  context.stages[stage].exchanges.push_back(std::move(senders));
  if (context.exchange_stages.size() <= exchange.number) {
    context.exchange_stages.resize(exchange.number + 1);
  }
  context.exchange_stages[exchange.number] = stage;
}

Status AddStages(JobContext& context) {
  const std::vector<RepartitionSpec>& repartitions = context.program->repartitions();
  const size_t source_inputs = context.inputs.size();
  if (source_inputs + repartitions.size() > std::numeric_limits<uint8_t>::max()) {
    return InvalidArgument("the job reads more than 255 topics");
  }
  context.stages.resize(1 + repartitions.size());
  for (uint32_t stage = 1; stage < context.stages.size(); ++stage) {
    context.stages[stage].input = static_cast<uint8_t>(context.inputs.size());
    context.inputs.push_back(
        {.topic = fmt::format("{}-repartition-{}", context.options.job_name, stage),
         .stage = stage});
  }
  for (uint32_t stage = 1; stage < context.stages.size(); ++stage) {
    for (const RepartitionSpec::Exchange& exchange : repartitions[stage - 1].exchanges)
      AddExchange(context, stage, exchange);
  }
  return {};
}

// The group that all sources of topics name, if they agree on one; else the job's own.
std::string GroupId(const JobContext& context) {
  std::optional<std::string> group;
  for (const KafkaSourceSpec& source : context.program->sources()) {
    if (source.is_pulled()) continue;
    if (group && *group != source.group_id) return context.options.job_name;
    group = source.group_id;
  }
  return group && !group->empty() ? *group : context.options.job_name;
}

void AddOutputs(JobContext& context) {
  std::vector<std::string>& topics = context.output_topics;
  for (uint32_t number = 0; number < context.stages.size(); ++number) {
    JobStage& stage = context.stages[number];
    stage.changelog_topic = fmt::format("{}-{}-changelog", context.options.job_name, number);
    stage.changelog_output = OutputIndex(topics, stage.changelog_topic);
    if (number == 0) continue;
    stage.repartition_output = OutputIndex(topics, context.inputs[stage.input].topic);
  }
  context.time_output = OutputIndex(topics, context.time_topic);
  for (const KafkaSinkSpec& sink : context.program->kafka_sinks()) {
    context.sink_outputs.push_back(OutputIndex(topics, sink.topic));
  }
  for (const KafkaSourceSpec& source : context.program->sources()) {
    std::optional<size_t>& output = context.late_outputs.emplace_back();
    if (!source.late_rows_topic.empty()) output = OutputIndex(topics, source.late_rows_topic);
  }
  for (JobInput& input : context.inputs) {
    // What fails behind a repartition topic goes where the first source's failures go.
    const JobInput& source = input.spec == nullptr ? context.inputs.front() : input;
    const std::string& topic = source.spec->dead_letter_topic;
    input.dead_letter_output =
        OutputIndex(topics, topic.empty() ? source.topic + ".dead-letter" : topic);
  }
}

}  // namespace

std::vector<std::string> JobContext::topics() const {
  std::vector<std::string> topics;
  for (const JobInput& input : inputs)
    topics.push_back(input.topic);
  return topics;
}

std::optional<uint8_t> JobContext::InputOf(std::string_view topic) const {
  auto found = std::find_if(
      inputs.begin(), inputs.end(), [&](const JobInput& input) { return input.topic == topic; });
  if (found == inputs.end()) return std::nullopt;
  return static_cast<uint8_t>(found - inputs.begin());
}

size_t JobContext::task_count() const {
  size_t count = 0;
  for (const JobInput& input : inputs)
    count += static_cast<size_t>(input.partition_count);
  return count;
}

size_t JobContext::task_count(size_t source) const {
  size_t count = 0;
  for (const JobInput& input : inputs) {
    if (input.source == source) count += static_cast<size_t>(input.partition_count);
  }
  return count;
}

size_t JobContext::writer_count(size_t file_sink) const {
  size_t count = 0;
  for (const uint8_t input : sink_inputs[file_sink])
    count += static_cast<size_t>(inputs[input].partition_count);
  return count;
}

std::vector<std::pair<size_t, FileSinkTarget>> JobContext::file_targets() const {
  std::vector<std::pair<size_t, FileSinkTarget>> all = dfs_targets;
  all.insert(all.end(), local_targets.begin(), local_targets.end());
  return all;
}

std::vector<size_t> JobContext::shared_timed_sinks() const {
  std::vector<size_t> shared;
  for (size_t i = 0; i < sink_inputs.size(); ++i) {
    if (program->file_sinks()[i].is_timed() && writer_count(i) > 1) shared.push_back(i);
  }
  return shared;
}

bool JobContext::is_bounded() const {
  const std::vector<KafkaSourceSpec>& sources = program->sources();
  return std::all_of(sources.begin(), sources.end(), [](const KafkaSourceSpec& source) {
    return source.is_bounded;
  });
}

kafka::Properties Join(const kafka::Properties& base, const kafka::Properties& over) {
  kafka::Properties all = base;
  all.insert(all.end(), over.begin(), over.end());
  return all;
}

Result<JobContext> MakeJobContext(const JobProgram& program, JobOptions options) {
  RETURN_IF_ERROR(CheckJobName(options.job_name));
  JobContext context;
  context.program = &program;
  context.options = std::move(options);
  RETURN_IF_ERROR(AddSources(context));
  RETURN_IF_ERROR(AddStages(context));
  context.group_id = GroupId(context);
  context.time_topic = context.options.job_name + "-time";
  RETURN_IF_ERROR(CheckSinkClusters(context));
  ASSIGN_OR_RETURN(context.host, OwnHostName());
  context.process = "processor-" + MintUuid();
  AddOutputs(context);
  RETURN_IF_ERROR(AddFileSinks(context));
  return context;
}

}  // namespace slipstream::runtime
