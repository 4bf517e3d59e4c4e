#include "processor/engine/job_compiler.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/check/check.h"
#include "processor/engine/record_metadata.h"
#include "processor/engine/sql_task.h"
#include "processor/planner/table_options.h"

namespace slipstream::sql {
namespace {

void CollectScans(const PlanNode& node, std::vector<const PlanNode*>& scans) {
  if (node.kind == PlanNode::Kind::kScan) scans.push_back(&node);
  for (const PlanNodePtr& input : StreamingInputs(node))
    CollectScans(*input, scans);
}

bool IsKafka(const TableDefinition& table) {
  return table.connector() == "kafka" || table.connector() == "upsert-kafka";
}

// The table's column that an output column of a node is, unchanged; nullopt: it is computed.
std::optional<size_t> TraceColumn(const PlanNode& node, size_t column) {
  switch (node.kind) {
    case PlanNode::Kind::kScan:
      return node.reads[column];
    case PlanNode::Kind::kProject: {
      const Expression& expression = *node.expressions[column];
      if (expression.kind != Expression::Kind::kColumn) return std::nullopt;
      return TraceColumn(*node.inputs.front(), expression.column);
    }
    case PlanNode::Kind::kWindowAggregate:
    case PlanNode::Kind::kAggregate:
      if (column >= node.group_columns.size()) return std::nullopt;
      return TraceColumn(*node.inputs.front(), node.group_columns[column]);
    case PlanNode::Kind::kExpand: {
      // Grouping sets: a column that some set leaves out is not the table's.
      std::optional<size_t> traced;
      for (const std::vector<ExpressionPtr>& expansion : node.expansions) {
        const Expression& expression = *expansion[column];
        if (expression.kind != Expression::Kind::kColumn) return std::nullopt;
        traced = TraceColumn(*node.inputs.front(), expression.column);
      }
      return traced;
    }
    case PlanNode::Kind::kUnnest:
    case PlanNode::Kind::kWindow:
    case PlanNode::Kind::kOver:
    case PlanNode::Kind::kTopN:
      if (column >= node.inputs.front()->output.size()) return std::nullopt;
      return TraceColumn(*node.inputs.front(), column);
    case PlanNode::Kind::kUnionAll: {
      const std::optional<size_t> first = TraceColumn(*node.inputs.front(), column);
      for (const PlanNodePtr& input : node.inputs) {
        if (TraceColumn(*input, column) != first) return std::nullopt;
      }
      return first;
    }
    case PlanNode::Kind::kJoin: {
      const size_t width = node.inputs[0]->output.size();
      const bool is_left = column < width;
      if (!is_left && node.join.variant == JoinSpec::Variant::kLookup) return std::nullopt;
      if (is_left ? node.join.keeps_right() : node.join.keeps_left()) return std::nullopt;
      return is_left ? TraceColumn(*node.inputs[0], column)
                     : TraceColumn(*node.inputs[1], column - width);
    }
    case PlanNode::Kind::kValues:
      return std::nullopt;
    default:
      return TraceColumn(*node.inputs.front(), column);
  }
}

// The table's columns by which rows of both sides of a join are equal.
std::vector<std::string> JoinedBy(const PlanNode& node, const TableDefinition& table) {
  std::vector<std::string> names;
  for (const JoinSpec::Key& key : node.join.keys) {
    const std::optional<size_t> left = TraceColumn(*node.inputs[0], key.left);
    const std::optional<size_t> right = TraceColumn(*node.inputs[1], key.right);
    if (left && left == right) names.push_back(table.schema[*left].name);
  }
  return names;
}

bool IsLookup(const PlanNode& node) {
  return node.kind == PlanNode::Kind::kJoin && node.join.variant == JoinSpec::Variant::kLookup;
}

// The first aggregation whose groups may be spread over partitions; nullptr: there is none.
const PlanNode* FindSpreadGroups(const PlanNode& node,
                                 const TableDefinition& table,
                                 const std::vector<std::string>& partitioned_by) {
  const bool is_grouped = node.kind == PlanNode::Kind::kWindowAggregate ||
                          node.kind == PlanNode::Kind::kAggregate ||
                          node.kind == PlanNode::Kind::kOver ||
                          node.kind == PlanNode::Kind::kTopN || node.kind == PlanNode::Kind::kJoin;
  if (is_grouped && !IsLookup(node)) {
    std::vector<std::string> grouped;
    if (node.kind == PlanNode::Kind::kJoin) grouped = JoinedBy(node, table);
    for (const size_t group : node.group_columns) {
      if (const std::optional<size_t> column = TraceColumn(*node.inputs.front(), group)) {
        grouped.push_back(table.schema[*column].name);
      }
    }
    const bool is_local =
        !partitioned_by.empty() &&
        std::all_of(partitioned_by.begin(), partitioned_by.end(), [&](const std::string& name) {
          return std::find(grouped.begin(), grouped.end(), name) != grouped.end();
        });
    if (!is_local) return &node;
  }
  for (const PlanNodePtr& input : StreamingInputs(node)) {
    if (const PlanNode* spread = FindSpreadGroups(*input, table, partitioned_by)) return spread;
  }
  return nullptr;
}

Status CheckPartitioning(const JobPlan& plan,
                         const TableDefinition& table,
                         const KafkaTable& source,
                         const CompileOptions& options) {
  const PlanNode* spread = nullptr;
  for (const InsertPlan& insert : plan.inserts) {
    if (spread == nullptr) spread = FindSpreadGroups(*insert.query, table, source.partitioned_by);
  }
  if (spread == nullptr) return {};
  if (options.partition_count) {
    ASSIGN_OR_RETURN(const int32_t partitions, options.partition_count(source.source));
    if (partitions == 1) return {};
  }
  std::string groups;
  for (size_t column : spread->group_columns) {
    if (!groups.empty()) groups += ", ";
    groups += spread->inputs.front()->output[column].name;
  }
  if (spread->kind == PlanNode::Kind::kJoin) {
    return Unimplemented(
        "a join of rows of table " + table.name +
        " needs a repartition stage, which is not supported yet: rows that belong together may "
        "lie in several partitions. A topic with one partition needs nothing");
  }
  return Unimplemented(
      "GROUP BY " + (groups.empty() ? std::string("of all rows") : groups) + " over table " +
      table.name +
      " needs a repartition stage, which is not supported yet: equal groups may lie in several "
      "partitions. If the topic's records are partitioned by some of these columns, say so with "
      "'source.partitioned-by' = 'column;…'; a topic with one partition needs nothing");
}

bool HasInstants(const Schema& schema) {
  return std::any_of(schema.begin(), schema.end(), [](const Field& field) {
    return field.type.kind == TypeKind::kTimestampLtz;
  });
}

Status CheckTimeZone(const JobPlan& plan, const ScanLayout& layout) {
  const auto zone = plan.settings.find("table.local-time-zone");
  if (zone == plan.settings.end() || zone->second == "UTC" || zone->second == "Etc/UTC") return {};
  bool has_instants = HasInstants(layout.schema());
  for (const InsertPlan& insert : plan.inserts)
    has_instants = has_instants || HasInstants(insert.query->output);
  if (!has_instants) return {};
  return Unimplemented("'table.local-time-zone' = '" + zone->second +
                       "' with TIMESTAMP_LTZ columns is not supported yet; UTC is");
}

// FNV-1a, 64 bits: the same on every machine and in every version.
uint64_t Fnv1a(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;
  for (char c : text) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001B3;
  }
  return hash;
}

// ---- The program ----

class SqlJob final : public runtime::JobProgram {
 public:
  explicit SqlJob(CompiledJob job) : job_(std::move(job)) {
    std::string text;
    for (const OperatorGraph::Node& node : job_.graph.nodes()) {
      is_stateful_ = is_stateful_ || node.operation->is_stateful();
      text += node.fingerprint + "\n";
    }
    fingerprint_ = fmt::format("{:016x}", Fnv1a(text));
  }

  const runtime::KafkaSourceSpec& source() const override { return job_.source.source; }
  const std::vector<runtime::KafkaSinkSpec>& kafka_sinks() const override {
    return job_.sinks.kafka_sinks();
  }
  const std::vector<runtime::FileSinkSpec>& file_sinks() const override {
    return job_.sinks.file_sinks();
  }
  const std::vector<runtime::PrintSinkSpec>& print_sinks() const override {
    return job_.sinks.print_sinks();
  }
  bool is_stateful() const override { return is_stateful_; }
  std::string fingerprint() const override { return fingerprint_; }

  std::unique_ptr<runtime::TaskProgram> MakeTask(std::string_view topic,
                                                 int32_t partition) const override {
    Result<std::unique_ptr<SourceRows>> source =
        SourceRows::Create(*job_.layout, job_.source.value_format, job_.source.key_format);
    SLIPSTREAM_CHECK(source.ok(), "{}", source.status().ToString());  // CompileJob has tried it
    return std::make_unique<SqlTask>(job_, *std::move(source), std::string(topic), partition);
  }

 private:
  const CompiledJob job_;
  bool is_stateful_ = false;
  std::string fingerprint_;
};

// table.exec.state.ttl; 0: state is kept for ever.
Result<int64_t> StateTtlUs(const Options& settings) {
  const auto found = settings.find("table.exec.state.ttl");
  if (found == settings.end()) return 0;
  ASSIGN_OR_RETURN(const std::chrono::milliseconds ttl, ParseDuration(found->second));
  return std::chrono::duration_cast<std::chrono::microseconds>(ttl).count();
}

Result<TablePtr> FindSource(const JobPlan& plan) {
  std::vector<const PlanNode*> scans;
  for (const InsertPlan& insert : plan.inserts) {
    const size_t before = scans.size();
    CollectScans(*insert.query, scans);
    if (scans.size() == before) {
      return Unimplemented("INSERT INTO " + insert.table->name +
                           " reads no table; in a job over Kafka that is not supported yet");
    }
  }
  TablePtr table = scans.front()->table;
  for (const PlanNode* scan : scans) {
    if (scan->table != table) {
      return Unimplemented("a job that reads two tables (" + table->name + " and " +
                           scan->table->name + ") is not supported yet");
    }
  }
  ASSIGN_OR_RETURN(const Connector connector, ConnectorOf(*table));
  if (connector != Connector::kKafka && connector != Connector::kUpsertKafka) {
    return Unimplemented("reading table " + table->name + " with connector '" + table->connector() +
                         "' in a job over Kafka is not supported yet");
  }
  return table;
}

}  // namespace

bool ReadsKafka(const JobPlan& plan) {
  std::vector<const PlanNode*> scans;
  for (const InsertPlan& insert : plan.inserts)
    CollectScans(*insert.query, scans);
  for (const JobPlan::Query& query : plan.queries)
    CollectScans(*query.query, scans);
  return std::any_of(
      scans.begin(), scans.end(), [](const PlanNode* scan) { return IsKafka(*scan->table); });
}

Result<std::unique_ptr<runtime::JobProgram>> CompileJob(const JobPlan& plan,
                                                        const CompileOptions& options) {
  if (plan.inserts.empty()) return InvalidArgument("the job has no INSERT");
  ASSIGN_OR_RETURN(const ConnectorDefaults defaults,
                   ConnectorDefaults::From(plan.settings, options.open_registry));
  ASSIGN_OR_RETURN(const TablePtr table, FindSource(plan));
  CompiledJob job;
  job.clock = &options.clock;
  ASSIGN_OR_RETURN(job.source, ReadKafkaTable(*table, defaults));
  if (!job.source.source.topic_pattern.empty()) {
    if (!options.find_topics) return Internal("a job over a topic pattern without a broker");
    ASSIGN_OR_RETURN(job.source.source.topics, options.find_topics(job.source.source));
  }
  job.source.source.is_bounded = job.source.source.is_bounded || options.is_bounded;
  RETURN_IF_ERROR(CheckPartitioning(plan, *table, job.source, options));
  ASSIGN_OR_RETURN(const int64_t state_ttl_us, StateTtlUs(plan.settings));
  job.graph.SetStateTtl(state_ttl_us);
  if (options.files != nullptr) job.graph.SetFiles(*options.files);
  const bool gives_updates = !job.source.source.is_bounded;
  for (const InsertPlan& insert : plan.inserts) {
    RETURN_IF_ERROR(job.sinks.Add(insert, defaults, gives_updates, job.graph));
  }
  for (const runtime::FileSinkSpec& sink : job.sinks.file_sinks()) {
    if (sink.success_file.empty()) continue;
    return Unimplemented(
        "'sink.partition-commit.policy.kind' in a job over Kafka is not supported "
        "yet: path " +
        sink.path);
  }
  std::vector<size_t> reads;
  for (const OperatorGraph::Scan& scan : job.graph.scans())
    reads.insert(reads.end(), scan.reads.begin(), scan.reads.end());
  job.layout = std::make_unique<const ScanLayout>(
      table,
      reads,
      true,
      RecordColumns{.value = job.source.value_columns,
                    .key = job.source.key_columns,
                    .key_prefix_bytes = job.source.key_prefix_bytes,
                    .is_upsert = job.source.is_upsert});
  for (const TableDefinition::MetadataColumn& metadata : job.layout->metadata())
    RETURN_IF_ERROR(CheckReadable(*table, metadata));
  RETURN_IF_ERROR(CheckTimeZone(plan, *job.layout));
  RETURN_IF_ERROR(
      SourceRows::Create(*job.layout, job.source.value_format, job.source.key_format).status());
  return std::unique_ptr<runtime::JobProgram>(std::make_unique<SqlJob>(std::move(job)));
}

}  // namespace slipstream::sql
