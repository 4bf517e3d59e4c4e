#include "processor/engine/job_compiler.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/check/check.h"
#include "processor/engine/compiled_job.h"
#include "processor/engine/exchange_task.h"
#include "processor/engine/file_metadata.h"
#include "processor/engine/folder_feed.h"
#include "processor/engine/record_metadata.h"
#include "processor/engine/scan_task.h"
#include "processor/engine/stable_hash.h"
#include "processor/engine/state_backend.h"
#include "processor/planner/plan_properties.h"
#include "processor/planner/table_options.h"

namespace slipstream::sql {
namespace {

void CollectScans(const PlanNode& node, std::vector<const PlanNode*>& scans) {
  if (node.kind == PlanNode::Kind::kScan) scans.push_back(&node);
  for (const PlanNodePtr& input : StreamingInputs(node))
    CollectScans(*input, scans);
}

// ---- The program ----

class SqlJob final : public runtime::JobProgram {
 public:
  explicit SqlJob(CompiledJob job) : job_(std::move(job)) {
    for (const OperatorGraph::Node& node : job_.graph->nodes())
      state_text_ += node.fingerprint + "\n";
    for (const OperatorGraph::Exchange& exchange : job_.graph->exchanges()) {
      state_text_ += "exchange into " + std::to_string(exchange.next.index);
      for (const size_t key : exchange.keys)
        state_text_ += " " + exchange.schema[key].name;
    }
    // What of a folder was read means something for that folder only.
    for (const CompiledSource& source : job_.sources) {
      if (source.folder) state_text_ += "watch " + source.folder->sink.path + "\n";
    }
    fingerprint_ = fmt::format("{:016x}", Fnv1a(state_text_));
    for (const std::vector<size_t>& tables : job_.groups)
      sources_.push_back(job_.sources[tables.front()].table.source);
  }

  const std::vector<runtime::KafkaSourceSpec>& sources() const override { return sources_; }
  const std::vector<runtime::RepartitionSpec>& repartitions() const override {
    return job_.stages.repartitions;
  }
  const std::vector<runtime::KafkaSinkSpec>& kafka_sinks() const override {
    return job_.sinks.kafka_sinks();
  }
  const std::vector<runtime::FileSinkSpec>& file_sinks() const override {
    return job_.sinks.file_sinks();
  }
  const std::vector<runtime::PrintSinkSpec>& print_sinks() const override {
    return job_.sinks.print_sinks();
  }
  bool is_stateful(uint32_t stage) const override { return job_.stages.is_stateful[stage]; }
  std::string fingerprint() const override { return fingerprint_; }
  std::string state_text() const override { return state_text_; }
  uint64_t lookup_rows_bad() const override { return job_.graph->lookup_rows_bad(); }

  std::unique_ptr<runtime::TaskProgram> MakeSourceTask(size_t source,
                                                       std::string_view topic,
                                                       int32_t partition) const override {
    std::vector<std::unique_ptr<SourceRows>> readers;
    for (const size_t table : job_.groups[source]) {
      const CompiledSource& from = job_.sources[table];
      Result<std::unique_ptr<SourceRows>> rows =
          SourceRows::Create(*from.layout, from.table.value_format, from.table.key_format);
      SLIPSTREAM_CHECK(rows.ok(), "{}", rows.status().ToString());  // CompileJob has tried it
      readers.push_back(*std::move(rows));
    }
    return std::make_unique<ScanTask>(job_,
                                      source,
                                      std::move(readers),
                                      MakeFeed(source, partition),
                                      std::string(topic),
                                      partition);
  }

  std::unique_ptr<runtime::TaskProgram> MakeStageTask(uint32_t stage,
                                                      int32_t /*partition*/) const override {
    return std::make_unique<ExchangeTask>(job_, stage);
  }

 private:
  // Null: the source is a topic.
  std::unique_ptr<FolderFeed> MakeFeed(size_t source, int32_t partition) const {
    const CompiledSource& from = job_.sources[job_.groups[source].front()];
    if (!from.folder) return nullptr;
    const ScanLayout& layout = *from.layout;
    return std::make_unique<FolderFeed>(
        *from.folder,
        layout,
        PartitionFilter(*job_.graph, layout.table_ptr(), layout.partition_columns()),
        *job_.files,
        FolderFeed::Share{.task = static_cast<uint64_t>(partition),
                          .of = static_cast<uint64_t>(from.table.source.pull_tasks)});
  }

  const CompiledJob job_;
  std::vector<runtime::KafkaSourceSpec> sources_;
  std::string state_text_;
  std::string fingerprint_;
};

// table.exec.state.ttl; 0: state is kept for ever.
Result<int64_t> StateTtlUs(const Options& settings) {
  const auto found = settings.find("table.exec.state.ttl");
  if (found == settings.end()) return 0;
  ASSIGN_OR_RETURN(const std::chrono::milliseconds ttl, ParseDuration(found->second));
  return std::chrono::duration_cast<std::chrono::microseconds>(ttl).count();
}

// The tables that the job reads, each once.
Result<std::vector<TablePtr>> FindSources(const JobPlan& plan, bool is_bounded) {
  std::vector<TablePtr> tables;
  for (const InsertPlan& insert : plan.inserts) {
    std::vector<const PlanNode*> scans;
    CollectScans(*insert.query, scans);
    if (scans.empty()) {
      return Unimplemented("INSERT INTO " + insert.table->name +
                           " reads no table; in a job over Kafka that is not supported yet");
    }
    for (const PlanNode* scan : scans) {
      if (std::find(tables.begin(), tables.end(), scan->table) != tables.end()) continue;
      RETURN_IF_ERROR(ConnectorOf(*scan->table).status());
      if (IsWatched(*scan->table) && is_bounded) {
        return Unimplemented("table " + scan->table->name +
                             " is watched ('source.monitor-interval') and has no end, so a job "
                             "with tables of Kafka that reads it cannot be bounded");
      }
      if (!IsReadByTasks(*scan->table, is_bounded)) {
        const bool is_files = scan->table->connector() == "filesystem";
        return Unimplemented("reading table " + scan->table->name + " with connector '" +
                             scan->table->connector() +
                             "' in a job over Kafka is not supported yet" +
                             (is_files ? "; with 'source.monitor-interval' it is" : ""));
      }
      tables.push_back(scan->table);
    }
  }
  return tables;
}

// Which exchanges are needed: not those of rows that a single task has anyway.
class CutFinder {
 public:
  CutFinder(const std::vector<TablePtr>& tables,
            const std::vector<CompiledSource>& sources,
            const CompileOptions& options)
      : tables_(tables), sources_(sources), options_(options) {}

  Status Visit(const PlanNode& root) { return Spread(root).status(); }
  const std::set<const PlanNode*>& cuts() const { return cuts_; }

 private:
  // The one source (of the program) whose only partition all rows of the node are from; nullopt:
  // there is no such. Exchanges below a node are needed together or not at all.
  Result<std::optional<size_t>> Spread(const PlanNode& node) {
    if (node.kind == PlanNode::Kind::kScan) return SinglePartition(*node.table);
    const std::span<const PlanNodePtr> inputs = StreamingInputs(node);
    std::optional<size_t> from;
    bool is_single = !inputs.empty();
    for (size_t i = 0; i < inputs.size(); ++i) {
      const bool is_exchange = inputs[i]->kind == PlanNode::Kind::kExchange;
      ASSIGN_OR_RETURN(const std::optional<size_t> input,
                       Spread(is_exchange ? *inputs[i]->inputs.front() : *inputs[i]));
      is_single = is_single && input && (i == 0 || input == from);
      from = input;
    }
    if (is_single) return from;
    for (const PlanNodePtr& input : inputs) {
      if (input->kind == PlanNode::Kind::kExchange) cuts_.insert(input.get());
    }
    return std::optional<size_t>();
  }

  Result<std::optional<size_t>> SinglePartition(const TableDefinition& table) {
    const auto found = std::find_if(
        tables_.begin(), tables_.end(), [&](const TablePtr& one) { return one.get() == &table; });
    const size_t source = sources_[static_cast<size_t>(found - tables_.begin())].group;
    if (!counts_.contains(source)) {
      int32_t count = 2;  // whatever is more than one
      const auto& spec = sources_[static_cast<size_t>(found - tables_.begin())].table.source;
      if (spec.is_pulled()) {
        count = spec.pull_tasks;
      } else if (options_.partition_count) {
        ASSIGN_OR_RETURN(count, options_.partition_count(spec));
      }
      counts_[source] = count;
    }
    return counts_[source] == 1 ? std::optional(source) : std::nullopt;
  }

  const std::vector<TablePtr>& tables_;
  const std::vector<CompiledSource>& sources_;
  const CompileOptions& options_;
  std::map<size_t, int32_t> counts_;
  std::set<const PlanNode*> cuts_;
};

bool HasExchange(const PlanNode& node) {
  return node.kind == PlanNode::Kind::kExchange ||
         std::any_of(node.inputs.begin(), node.inputs.end(), [](const PlanNodePtr& input) {
           return HasExchange(*input);
         });
}

// Columns of the source that some scan reads.
std::vector<size_t> ReadsOf(const OperatorGraph& graph, const TablePtr& table) {
  std::vector<size_t> reads;
  for (const OperatorGraph::Scan& scan : graph.scans()) {
    if (scan.table == table) reads.insert(reads.end(), scan.reads.begin(), scan.reads.end());
  }
  return reads;
}

// Which tables are read together. kInvalidArgument: some are of the same topics, and say different
// things about how these are read.
Status GroupSources(const std::vector<TablePtr>& tables, CompiledJob& job) {
  constexpr size_t kTogetherMax = 100;  // tables of one topic
  for (size_t i = 0; i < job.sources.size(); ++i) {
    const runtime::KafkaSourceSpec& spec = job.sources[i].table.source;
    const auto group = std::find_if(job.groups.begin(), job.groups.end(), [&](const auto& of) {
      return job.sources[of.front()].table.source.topics == spec.topics;
    });
    job.sources[i].group = static_cast<size_t>(group - job.groups.begin());
    if (group == job.groups.end()) {
      job.groups.push_back({i});
      continue;
    }
    const size_t first = group->front();
    if (job.sources[first].table.source != spec) {
      return InvalidArgument(
          "tables " + tables[first]->name + " and " + tables[i]->name +
          " read the same topic, which is read once for both: what they say of where it begins and "
          "ends, of properties, idleness, dead letters and late rows has to be the same");
    }
    if (group->size() == kTogetherMax) {
      return InvalidArgument("more than 100 tables read the topic of table " + tables[i]->name);
    }
    group->push_back(i);
  }
  return {};
}

Status CheckFileSinks(const SinkSet& sinks) {
  for (size_t sink = 0; sink < sinks.tables().size(); ++sink) {
    const TableDefinition& table = *sinks.tables()[sink];
    const std::optional<size_t> file = sinks.file_sink(sink);
    if (!file || sinks.file_sinks()[*file].success_file.empty()) continue;
    if (!table.partition_columns.empty()) continue;
    return InvalidArgument(
        "table " + table.name +
        ": 'sink.partition-commit.policy.kind' in a job that goes on: the table is not "
        "PARTITIONED BY anything that could be complete");
  }
  return {};
}

// A watched folder as the source number `number` of the job.
Status ReadFolder(const TableDefinition& table,
                  const ConnectorDefaults& defaults,
                  const CompileOptions& options,
                  size_t number,
                  CompiledSource& source) {
  if (options.files == nullptr) return Unimplemented("a watched folder without files");
  RETURN_IF_ERROR(CheckFileMetadata(table));
  ASSIGN_OR_RETURN(source.folder, ReadFileTable(table, defaults));
  FolderWatch& watch = *source.folder->watch;
  watch.source.topics = {"files-" + std::to_string(number)};
  source.table = {.source = watch.source,
                  .sink = {},
                  .value_format = source.folder->format,
                  .key_format = {},
                  .key_columns = {},
                  .value_columns = StoredColumns(table).value,
                  .partitioned_by = {},
                  .watermark_on_event = watch.watermark_on_event};
  return {};
}

// Fills in what follows from the graph.
Status Complete(const std::vector<TablePtr>& tables, CompiledJob& job) {
  if (!job.graph->constants().empty()) {
    return Unimplemented("VALUES in a job over Kafka is not supported yet");
  }
  for (size_t i = 0; i < tables.size(); ++i) {
    CompiledSource& source = job.sources[i];
    source.layout = std::make_unique<const ScanLayout>(
        tables[i],
        ReadsOf(*job.graph, tables[i]),
        true,
        RecordColumns{.value = source.table.value_columns,
                      .key = source.table.key_columns,
                      .key_prefix_bytes = source.table.key_prefix_bytes,
                      .is_upsert = source.table.is_upsert});
    if (!source.folder) {
      for (const TableDefinition::MetadataColumn& metadata : source.layout->metadata())
        RETURN_IF_ERROR(CheckReadable(*tables[i], metadata));
    }
    RETURN_IF_ERROR(
        SourceRows::Create(*source.layout, source.table.value_format, source.table.key_format)
            .status());
  }
  for (const OperatorGraph::Exchange& exchange : job.graph->exchanges())
    job.exchanges.emplace_back(exchange);
  std::vector<std::vector<TablePtr>> groups;
  for (const std::vector<size_t>& group : job.groups) {
    std::vector<TablePtr>& together = groups.emplace_back();
    for (const size_t table : group)
      together.push_back(tables[table]);
  }
  job.stages = LayStages(*job.graph, groups);
  for (size_t sink = 0; sink < job.stages.sink_writers.size(); ++sink)
    job.sinks.SetWriters(sink, job.stages.sink_writers[sink]);
  job.late_routes = LateRoutes(*job.graph, job.sources);
  return {};
}

}  // namespace

bool RunsAsTasks(const JobPlan& plan, bool every_input_is_bounded) {
  const auto is_read_by_tasks = [&](const auto& of) {
    return IsReadByTasks(*of.query, every_input_is_bounded);
  };
  return std::any_of(plan.inserts.begin(), plan.inserts.end(), is_read_by_tasks) ||
         std::any_of(plan.queries.begin(), plan.queries.end(), is_read_by_tasks);
}

Result<std::unique_ptr<runtime::JobProgram>> CompileJob(const JobPlan& plan,
                                                        const CompileOptions& options) {
  if (plan.inserts.empty()) return InvalidArgument("the job has no INSERT");
  ASSIGN_OR_RETURN(const ConnectorDefaults defaults,
                   ConnectorDefaults::From(plan.settings, options.open_registry));
  ASSIGN_OR_RETURN(const std::vector<TablePtr> tables, FindSources(plan, options.is_bounded));
  CompiledJob job;
  job.clock = &options.clock;
  job.files = options.files;
  job.scratch = options.scratch;
  bool is_bounded = true;
  for (const TablePtr& table : tables) {
    CompiledSource& source = job.sources.emplace_back();
    if (IsWatched(*table)) {
      RETURN_IF_ERROR(ReadFolder(*table, defaults, options, job.sources.size() - 1, source));
      is_bounded = false;
      continue;
    }
    ASSIGN_OR_RETURN(source.table, ReadKafkaTable(*table, defaults));
    if (!source.table.source.topic_pattern.empty()) {
      if (!options.find_topics) return Internal("a job over a topic pattern without a broker");
      ASSIGN_OR_RETURN(source.table.source.topics, options.find_topics(source.table.source));
    }
    source.table.source.is_bounded = source.table.source.is_bounded || options.is_bounded;
    is_bounded = is_bounded && source.table.source.is_bounded;
  }
  RETURN_IF_ERROR(GroupSources(tables, job));
  RETURN_IF_ERROR(StateBackendOf(plan.settings).status());
  ASSIGN_OR_RETURN(const int64_t state_ttl_us, StateTtlUs(plan.settings));
  CutFinder cuts(tables, job.sources, options);
  for (const InsertPlan& insert : plan.inserts) {
    if (HasExchange(*insert.query)) RETURN_IF_ERROR(cuts.Visit(*insert.query));
  }
  auto graph = std::make_unique<OperatorGraph>(
      true,
      [needed = cuts.cuts()](const PlanNode& exchange) { return needed.contains(&exchange); });
  graph->SetStateTtl(state_ttl_us);
  if (options.files != nullptr) graph->SetFiles(*options.files);
  for (const InsertPlan& insert : plan.inserts) {
    RETURN_IF_ERROR(job.sinks.Add(insert, defaults, !is_bounded, *graph));
  }
  RETURN_IF_ERROR(CheckFileSinks(job.sinks));
  job.graph = std::move(graph);
  RETURN_IF_ERROR(Complete(tables, job));
  return std::unique_ptr<runtime::JobProgram>(std::make_unique<SqlJob>(std::move(job)));
}

}  // namespace slipstream::sql
