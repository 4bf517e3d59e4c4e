#include "processor/engine/batch_executor.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "processor/engine/connector_options.h"
#include "processor/engine/line_reader.h"
#include "processor/engine/operator_graph.h"
#include "processor/engine/sink_set.h"
#include "processor/engine/source_rows.h"
#include "processor/expr/cast.h"
#include "processor/expr/evaluator.h"
#include "processor/formats/json_encoder.h"

namespace slipstream::sql {
namespace {

constexpr size_t kRecordsPerBatch = 4096;

using RowReceiver = std::function<Status(size_t sink, const RowBatch& rows)>;

// BatchRun: one run of a graph over files.
class BatchRun final : private GraphRun::Host {
 public:
  BatchRun(const OperatorGraph& graph, const BatchOptions& options, RowReceiver receiver)
      : graph_(graph), options_(options), receiver_(std::move(receiver)), run_(graph, *this) {
    const auto since_1970 = options.clock.WallNow().time_since_epoch();
    now_us_ = std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count();
    run_.SetNow(now_us_);
  }

  Result<BatchReport> Run() {
    for (const OperatorGraph::Constants& constants : graph_.constants())
      RETURN_IF_ERROR(PushConstants(constants));
    // A table that several scans read is read once.
    std::vector<TablePtr> tables;
    for (const OperatorGraph::Scan& scan : graph_.scans()) {
      if (std::find(tables.begin(), tables.end(), scan.table) == tables.end()) {
        tables.push_back(scan.table);
      }
    }
    for (const TablePtr& table : tables)
      RETURN_IF_ERROR(ReadTable(table).WithContext("table " + table->name));
    RETURN_IF_ERROR(run_.Advance(kWatermarkEnd));
    return report_;
  }

 private:
  Status WriteToSink(size_t sink, RowBatch rows) override {
    report_.rows_out += rows.batch.rows;
    return receiver_(sink, rows);
  }
  Status Reject(const RowBatch& from, const Schema& schema, const RowErrors& errors) override;
  void CountLate(uint64_t) override {}  // bounded input: no window fires before the end

  Status PushConstants(const OperatorGraph::Constants& constants);
  Status ReadTable(const TablePtr& table);
  Status ReadFile(const SourceFile& file,
                  const ValueFormat& format,
                  const ScanLayout& layout,
                  SourceRows& source);
  Status PushLines(std::span<const std::string_view> lines,
                   const SourceFile& file,
                   const SourceRows::FillColumns& fill,
                   const ScanLayout& layout,
                   SourceRows& source);
  void ReportBad(std::string_view file, std::string_view text, std::string_view error) {
    ++report_.rows_bad;
    if (options_.on_bad_row) options_.on_bad_row({.file = file, .text = text, .error = error});
  }

  const OperatorGraph& graph_;
  const BatchOptions& options_;
  const RowReceiver receiver_;
  GraphRun run_;
  int64_t now_us_ = 0;
  BatchReport report_;
};

Status BatchRun::Reject(const RowBatch& from, const Schema& schema, const RowErrors& errors) {
  std::vector<size_t> positions(schema.size());
  std::iota(positions.begin(), positions.end(), size_t{0});
  const JsonEncoder encoder(schema, std::move(positions), JsonOptions{});
  std::vector<uint8_t> is_reported(from.batch.rows, 0);
  for (const RowErrors::Entry& entry : errors.entries()) {
    if (is_reported[entry.row] != 0) continue;
    is_reported[entry.row] = 1;
    std::string row;
    encoder.Encode(from.batch, entry.row, row);
    ReportBad("", row, entry.message);
  }
  return {};
}

Status BatchRun::PushConstants(const OperatorGraph::Constants& constants) {
  RowBatch rows{.batch = MakeBatch(constants.schema), .origins = {}, .kinds = {}};
  Arena& arena = rows.batch.NewArena();
  for (const std::vector<Value>& values : constants.rows) {
    for (size_t column = 0; column < values.size(); ++column)
      rows.batch.columns[column].Append(values[column], arena);
    ++rows.batch.rows;
  }
  report_.rows_in += rows.batch.rows;
  return rows.batch.rows == 0 ? Status() : run_.Push(constants.next, std::move(rows));
}

// Names that begin with one of these are not data: _SUCCESS, .part-0.tmp.
bool IsHidden(std::string_view relative_path) {
  const size_t slash = relative_path.rfind('/');
  const std::string_view name =
      slash == std::string_view::npos ? relative_path : relative_path.substr(slash + 1);
  return name.empty() || name.front() == '_' || name.front() == '.';
}

// The value of each partition column, from the folders of a file's path.
Result<std::vector<Value>> PartitionValues(const SourceFile& file, const ScanLayout& layout) {
  const TableDefinition& table = layout.table();
  std::map<std::string, Value> by_name;
  std::string_view rest = file.relative_path;
  for (size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
    const std::string_view folder = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
    for (size_t column : table.partition_columns) {
      const std::string& name = table.schema[column].name;
      if (std::optional<Value> value = ReadPartitionFolder(folder, name)) {
        by_name[name] = *std::move(value);
      }
    }
  }
  std::vector<Value> values;
  for (size_t column : layout.partition_columns()) {
    const Field& field = table.schema[column];
    const auto found = by_name.find(field.name);
    if (found == by_name.end()) {
      return InvalidArgument("file " + file.path + " lies in no folder " + field.name + "=…");
    }
    // The folder's text is cast to the column's type.
    Batch one_row;
    one_row.rows = 1;
    RowErrors errors;
    const ExpressionPtr cast =
        MakeCast(MakeLiteral(found->second, DataType::String()), field.type, false);
    const Column value = Evaluate(*cast, one_row, one_row.NewArena(), errors);
    if (!errors.empty()) {
      return InvalidArgument("file " + file.path + ": " + errors.entries().front().message);
    }
    values.push_back(value.ValueAt(0));
  }
  return values;
}

Status BatchRun::ReadTable(const TablePtr& table) {
  ASSIGN_OR_RETURN(const Connector connector, ConnectorOf(*table));
  if (connector != Connector::kFilesystem) {
    return Unimplemented("connector '" + table->connector() + "' cannot be read in a batch");
  }
  if (options_.files == nullptr) return Internal("a batch over files without a file source");
  ASSIGN_OR_RETURN(const FileTable options, ReadFileTable(*table));
  std::vector<size_t> reads;
  for (const OperatorGraph::Scan& scan : graph_.scans()) {
    if (scan.table == table) reads.insert(reads.end(), scan.reads.begin(), scan.reads.end());
  }
  const ScanLayout layout(table, reads, false, StoredColumns(*table));
  if (!layout.metadata().empty()) {
    return Unimplemented("metadata columns of files are not supported yet");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<SourceRows> source,
                   SourceRows::Create(layout, options.format));
  ASSIGN_OR_RETURN(const std::vector<SourceFile> files, options_.files->List(options.sink.path));
  for (const SourceFile& file : files) {
    if (IsHidden(file.relative_path)) continue;
    RETURN_IF_ERROR(ReadFile(file, options.format, layout, *source));
    ++report_.files;
  }
  return {};
}

Status BatchRun::ReadFile(const SourceFile& file,
                          const ValueFormat& format,
                          const ScanLayout& layout,
                          SourceRows& source) {
  ASSIGN_OR_RETURN(const std::vector<Value> partition, PartitionValues(file, layout));
  const SourceRows::FillColumns fill = [&](const std::vector<uint32_t>& origins, Batch& batch) {
    for (size_t i = 0; i < partition.size(); ++i) {
      Column& column =
          batch.columns.emplace_back(layout.table().schema[layout.partition_columns()[i]].type);
      Arena& arena = batch.NewArena();
      for (size_t row = 0; row < origins.size(); ++row)
        column.Append(partition[i], arena);
    }
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<FileReader> reader, options_.files->Open(file.path));
  LineReader lines(*reader, format);
  while (true) {
    if (options_.stop.stop_requested()) return Cancelled("stopped");
    Result<std::vector<std::string_view>> next = lines.Next();
    if (!next.ok()) return next.status().WithContext("file " + file.path);
    if (next->empty()) return {};
    for (size_t first = 0; first < next->size(); first += kRecordsPerBatch) {
      const size_t count = std::min(kRecordsPerBatch, next->size() - first);
      RETURN_IF_ERROR(
          PushLines(std::span(*next).subspan(first, count), file, fill, layout, source));
    }
  }
}

Status BatchRun::PushLines(std::span<const std::string_view> lines,
                           const SourceFile& file,
                           const SourceRows::FillColumns& fill,
                           const ScanLayout& layout,
                           SourceRows& source) {
  const std::vector<std::optional<std::string_view>> records(lines.begin(), lines.end());
  SourceRows::Rows rows = source.Read(records, {}, now_us_, fill);
  report_.rows_in += rows.rows.batch.rows + rows.failures.size() + rows.skipped;
  report_.rows_bad += rows.skipped;
  for (const DecodedRows::Failure& failure : rows.failures)
    ReportBad(file.path, lines[failure.record], failure.message);
  return PushToScans(graph_, layout, std::move(rows.rows), run_);
}

class SqlBatchJob final : public BatchJob {
 public:
  SqlBatchJob(OperatorGraph graph, SinkSet sinks)
      : graph_(std::move(graph)), sinks_(std::move(sinks)) {}

  const std::vector<runtime::KafkaSinkSpec>& kafka_sinks() const override {
    return sinks_.kafka_sinks();
  }
  const std::vector<runtime::FileSinkSpec>& file_sinks() const override {
    return sinks_.file_sinks();
  }
  const std::vector<runtime::PrintSinkSpec>& print_sinks() const override {
    return sinks_.print_sinks();
  }

  Result<BatchReport> Run(const BatchOptions& options, runtime::TaskOutput& out) override {
    BatchRun run(graph_, options, [&](size_t sink, const RowBatch& rows) {
      return sinks_.writers()[sink]->Write(rows, out);
    });
    return run.Run();
  }

 private:
  const OperatorGraph graph_;
  const SinkSet sinks_;
};

}  // namespace

Result<std::unique_ptr<BatchJob>> BatchJob::Compile(const JobPlan& plan) {
  if (plan.inserts.empty()) return InvalidArgument("the job has no INSERT");
  ASSIGN_OR_RETURN(const ConnectorDefaults defaults, ConnectorDefaults::From(plan.settings));
  OperatorGraph graph(false);
  SinkSet sinks;
  for (const InsertPlan& insert : plan.inserts)
    RETURN_IF_ERROR(sinks.Add(insert, defaults, false, graph));
  return std::unique_ptr<BatchJob>(
      std::make_unique<SqlBatchJob>(std::move(graph), std::move(sinks)));
}

Result<BatchReport> RunQuery(const PlanNode& query,
                             const BatchOptions& options,
                             const std::function<Status(const Batch&)>& on_rows) {
  OperatorGraph graph(false);
  RETURN_IF_ERROR(graph.Add(query, false, 0));
  BatchRun run(graph, options, [&](size_t, const RowBatch& rows) { return on_rows(rows.batch); });
  return run.Run();
}

}  // namespace slipstream::sql
