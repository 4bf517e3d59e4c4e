#include "processor/engine/batch_executor.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "processor/engine/connector_options.h"
#include "processor/engine/datagen.h"
#include "processor/engine/file_metadata.h"
#include "processor/engine/graph_run.h"
#include "processor/engine/line_reader.h"
#include "processor/engine/partition_filter.h"
#include "processor/engine/sink_set.h"
#include "processor/engine/source_rows.h"
#include "processor/engine/table_folder.h"
#include "processor/formats/json_encoder.h"
#include "processor/planner/plan_properties.h"
#include "processor/types/decimal.h"

namespace slipstream::sql {
namespace {

constexpr size_t kRecordsPerBatch = 4096;

using RowReceiver = std::function<Status(size_t sink, const RowBatch& rows)>;

// BatchRun: one run of a graph over files.
class BatchRun final : private GraphRun::Host {
 public:
  // What is asked of a run besides its graph.
  struct Aim {
    bool is_bounded = true;             // otherwise generated input has watermarks and no end
    uint64_t rows_wanted = UINT64_MAX;  // nothing is read beyond
  };

  BatchRun(const OperatorGraph& graph, const BatchOptions& options, Aim aim, RowReceiver receiver)
      : graph_(graph),
        options_(options),
        aim_(aim),
        receiver_(std::move(receiver)),
        run_(graph, *this) {
    now_us_ = WallUs();
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
    for (const TablePtr& table : tables) {
      if (table->connector() == "datagen") {
        RETURN_IF_ERROR(AddGenerated(table));
      } else {
        RETURN_IF_ERROR(ReadTable(table).WithContext("table " + table->name));
      }
    }
    ASSIGN_OR_RETURN(const bool is_ended, Generate());
    if (is_ended || aim_.is_bounded) RETURN_IF_ERROR(run_.Advance(kWatermarkEnd));
    return report_;
  }

 private:
  Status WriteToSink(size_t sink, RowBatch rows) override {
    report_.rows_out += rows.batch.rows;
    return receiver_(sink, rows);
  }
  Status Reject(const RowBatch& from, const Schema& schema, const RowErrors& errors) override;
  // Of bounded input no window fires before the end.
  Status DropLate(const LateRows&) override { return {}; }

  // A table whose rows are made.
  struct Generated {
    Generated(const TablePtr& table, const std::vector<size_t>& reads, bool needs_watermark)
        : layout(table, reads, needs_watermark, StoredColumns(*table)) {}

    const ScanLayout layout;
    RowGenerator* generator = nullptr;  // owned by source
    std::unique_ptr<SourceRows> source;
    uint64_t made = 0;

    // How many rows there are to be after that time.
    uint64_t DueAfter(std::chrono::milliseconds elapsed) const;
    bool is_over() const { return generator->row_count() && made >= *generator->row_count(); }
  };

  std::vector<size_t> ReadsOf(const TablePtr& table) const;
  Status AddGenerated(const TablePtr& table);
  // Whether all tables have ended (and not only the reading).
  Result<bool> Generate();
  Result<bool> GenerateDue(Generated& table, std::chrono::milliseconds elapsed);
  // What processing time makes due.
  Status Tick();
  bool has_enough() const { return report_.rows_out >= aim_.rows_wanted; }

  int64_t WallUs() const;
  Status PushConstants(const OperatorGraph::Constants& constants);
  Status ReadTable(const TablePtr& table);
  Status ReadFile(const SourceFile& file,
                  const std::vector<Value>& partition,
                  const ValueFormat& format,
                  const ScanLayout& layout,
                  SourceRows& source);
  Status PushLines(std::span<const std::string_view> lines,
                   const SourceFile& file,
                   const SourceRows::FillColumns& fill,
                   const ScanLayout& layout,
                   uint64_t first_line,
                   SourceRows& source);
  Status ReportBad(const BadRow& row) {
    ++report_.rows_bad;
    return options_.on_bad_row ? options_.on_bad_row(row) : Status();
  }

  const OperatorGraph& graph_;
  const BatchOptions& options_;
  const Aim aim_;
  const RowReceiver receiver_;
  GraphRun run_;
  std::vector<std::unique_ptr<Generated>> generated_;
  int64_t now_us_ = 0;
  BatchReport report_;
};

int64_t BatchRun::WallUs() const {
  const auto since_1970 = options_.clock.WallNow().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since_1970).count();
}

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
    RETURN_IF_ERROR(ReportBad({.file = "", .text = row, .error = entry.message}));
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

Status BatchRun::ReadTable(const TablePtr& table) {
  ASSIGN_OR_RETURN(const Connector connector, ConnectorOf(*table));
  if (connector != Connector::kFilesystem) {
    return Unimplemented("connector '" + table->connector() + "' cannot be read in a batch");
  }
  if (options_.files == nullptr) return Internal("a batch over files without a file source");
  ASSIGN_OR_RETURN(const FileTable options, ReadFileTable(*table));
  const ScanLayout layout(table, ReadsOf(table), false, StoredColumns(*table));
  RETURN_IF_ERROR(CheckFileMetadata(*table));
  ASSIGN_OR_RETURN(const std::unique_ptr<SourceRows> source,
                   SourceRows::Create(layout, options.format));
  ASSIGN_OR_RETURN(const std::vector<SourceFile> files, ListTable(*options_.files, options));
  const PartitionFilter filter(graph_, table, layout.partition_columns());
  for (const SourceFile& file : files) {
    ASSIGN_OR_RETURN(const std::vector<Value> partition, PartitionValues(file, layout));
    if (!filter.Wants(partition)) continue;
    RETURN_IF_ERROR(ReadFile(file, partition, options.format, layout, *source));
    ++report_.files;
  }
  return {};
}

// Of a CSV file a record may have several: line ends within quotes.
uint64_t LinesOf(std::span<const std::string_view> records) {
  uint64_t lines = records.size();
  for (const std::string_view record : records)
    lines += static_cast<uint64_t>(std::count(record.begin(), record.end(), '\n'));
  return lines;
}

Status BatchRun::ReadFile(const SourceFile& file,
                          const std::vector<Value>& partition,
                          const ValueFormat& format,
                          const ScanLayout& layout,
                          SourceRows& source) {
  const SourceRows::FillColumns fill = [&](const std::vector<uint32_t>& origins, Batch& batch) {
    AppendPartition(layout, partition, origins.size(), batch);
    AppendFileMetadata(layout, file, origins.size(), batch);
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<FileReader> reader, options_.files->Open(file.path));
  LineReader lines(*reader, format);
  uint64_t line = 1;
  while (true) {
    if (options_.stop.stop_requested()) return Cancelled("stopped");
    if (has_enough()) return {};
    Result<std::vector<std::string_view>> next = lines.Next();
    if (!next.ok()) return next.status().WithContext("file " + file.path);
    if (next->empty()) return {};
    for (size_t first = 0; first < next->size(); first += kRecordsPerBatch) {
      const size_t count = std::min(kRecordsPerBatch, next->size() - first);
      const auto slice = std::span<const std::string_view>(*next).subspan(first, count);
      RETURN_IF_ERROR(PushLines(slice, file, fill, layout, line, source));
      line += LinesOf(slice);
    }
  }
}

Status BatchRun::PushLines(std::span<const std::string_view> lines,
                           const SourceFile& file,
                           const SourceRows::FillColumns& fill,
                           const ScanLayout& layout,
                           uint64_t first_line,
                           SourceRows& source) {
  const std::vector<std::optional<std::string_view>> records(lines.begin(), lines.end());
  SourceRows::Rows rows = source.Read(records, {}, now_us_, fill);
  RETURN_IF_ERROR(rows.error);
  report_.rows_in += rows.rows.batch.rows + rows.failures.size() + rows.skipped;
  report_.rows_bad += rows.skipped;
  for (const DecodedRows::Failure& failure : rows.failures)
    RETURN_IF_ERROR(ReportBad({.file = file.path,
                               .line = first_line + LinesOf(lines.first(failure.record)),
                               .text = lines[failure.record],
                               .error = failure.message}));
  return PushToScans(graph_, layout, std::move(rows.rows), run_);
}

// ---- Generated rows ----

std::vector<size_t> BatchRun::ReadsOf(const TablePtr& table) const {
  std::vector<size_t> reads;
  for (const OperatorGraph::Scan& scan : graph_.scans()) {
    if (scan.table == table) reads.insert(reads.end(), scan.reads.begin(), scan.reads.end());
  }
  return reads;
}

uint64_t BatchRun::Generated::DueAfter(std::chrono::milliseconds elapsed) const {
  const UInt128 due = static_cast<UInt128>(elapsed.count()) *
                          static_cast<UInt128>(generator->rows_per_second()) / 1'000 +
                      1;
  const auto rows = static_cast<uint64_t>(std::min<UInt128>(due, UINT64_MAX));
  return std::min(rows, generator->row_count().value_or(UINT64_MAX));
}

Status BatchRun::AddGenerated(const TablePtr& table) {
  auto made = std::make_unique<Generated>(table, ReadsOf(table), !aim_.is_bounded);
  if (!made->layout.metadata().empty()) {
    return InvalidArgument("table " + table->name + ": generated rows have no metadata");
  }
  // Every table draws numbers of its own.
  ASSIGN_OR_RETURN(std::unique_ptr<RowGenerator> generator,
                   RowGenerator::Create(made->layout, options_.seed + generated_.size()));
  made->generator = generator.get();
  made->source = SourceRows::Of(made->layout, std::move(generator));
  generated_.push_back(std::move(made));
  return {};
}

Result<bool> BatchRun::Generate() {
  constexpr std::chrono::milliseconds kWait{10};
  constexpr std::chrono::milliseconds kPausePeriod{1'000};
  const SteadyTime start = options_.clock.Now();
  SteadyTime last_pause = start;
  const auto is_over = [](const auto& table) { return table->is_over(); };
  while (!std::all_of(generated_.begin(), generated_.end(), is_over)) {
    const SteadyTime now = options_.clock.Now();
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - start);
    bool has_made = false;
    for (const auto& table : generated_) {
      ASSIGN_OR_RETURN(const bool is_behind, GenerateDue(*table, elapsed));
      has_made = has_made || is_behind;
    }
    if (!aim_.is_bounded) RETURN_IF_ERROR(Tick());
    if (has_enough()) return false;
    if (options_.on_pause && now - last_pause >= kPausePeriod) {
      last_pause = now;
      RETURN_IF_ERROR(options_.on_pause());
    }
    const bool is_stopped = options_.stop.stop_requested() ||
                            (!has_made && !options_.sleeper.Sleep(kWait, options_.stop));
    if (!is_stopped) continue;
    const bool ends = std::all_of(generated_.begin(), generated_.end(), [](const auto& table) {
      return table->generator->row_count().has_value();
    });
    if (ends) return Cancelled("stopped");
    return false;
  }
  return true;
}

Status BatchRun::Tick() {
  run_.SetNow(now_us_ = WallUs());
  return run_.NextTick() <= now_us_ ? run_.Tick() : Status();
}

// Makes what is due, one batch at most; whether there was anything.
Result<bool> BatchRun::GenerateDue(Generated& table, std::chrono::milliseconds elapsed) {
  const uint64_t due = table.DueAfter(elapsed);
  if (due <= table.made) return false;
  const uint64_t rest = std::min(due - table.made, aim_.rows_wanted);
  const auto count = static_cast<size_t>(std::min<uint64_t>(rest, kRecordsPerBatch));
  const std::vector<std::optional<std::string_view>> records(count);
  if (!aim_.is_bounded) run_.SetNow(now_us_ = WallUs());
  table.generator->SetNow(aim_.is_bounded ? now_us_ : WallUs());
  SourceRows::Rows rows = table.source->Read(
      records, {}, now_us_, [](const std::vector<uint32_t>&, Batch&) { /* nothing but rows */ });
  table.made += count;
  report_.rows_in += count;
  for (const DecodedRows::Failure& failure : rows.failures) {
    RETURN_IF_ERROR(
        ReportBad({.file = "", .text = table.layout.table().name, .error = failure.message}));
  }
  const auto greatest = std::max_element(rows.watermarks.begin(), rows.watermarks.end());
  const int64_t watermark = greatest == rows.watermarks.end() ? kWatermarkNone : *greatest;
  RETURN_IF_ERROR(PushToScans(graph_, table.layout, std::move(rows.rows), run_));
  for (const OperatorGraph::Scan& scan : graph_.scans()) {
    if (scan.table.get() != &table.layout.table() || watermark == kWatermarkNone) continue;
    RETURN_IF_ERROR(run_.Advance(scan.next, watermark));
  }
  return true;
}

class SqlBatchJob final : public BatchJob {
 public:
  SqlBatchJob(OperatorGraph graph, SinkSet sinks, bool is_bounded)
      : graph_(std::move(graph)), sinks_(std::move(sinks)), is_bounded_(is_bounded) {}

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
    const auto write = [&](size_t sink, const RowBatch& rows) {
      return sinks_.writers()[sink]->Write(rows, out);
    };
    BatchRun run(graph_, options, {.is_bounded = is_bounded_}, write);
    return run.Run();
  }

 private:
  const OperatorGraph graph_;
  const SinkSet sinks_;
  const bool is_bounded_;
};

// Rows that a query gives at most, where reading on would be in vain.
uint64_t RowsWanted(const PlanNode& query) {
  const PlanNode* node = &query;
  while (node->kind == PlanNode::Kind::kProject)
    node = node->inputs.front().get();
  return node->kind == PlanNode::Kind::kLimit ? node->limit.value_or(UINT64_MAX) : UINT64_MAX;
}

}  // namespace

Result<std::unique_ptr<BatchJob>> BatchJob::Compile(const JobPlan& plan,
                                                    bool is_bounded,
                                                    RegistryOpener open_registry) {
  if (plan.inserts.empty()) return InvalidArgument("the job has no INSERT");
  is_bounded = is_bounded ||
               std::all_of(plan.inserts.begin(), plan.inserts.end(), [](const InsertPlan& insert) {
                 return IsBounded(*insert.query, false);
               });
  ASSIGN_OR_RETURN(const ConnectorDefaults defaults,
                   ConnectorDefaults::From(plan.settings, std::move(open_registry)));
  OperatorGraph graph(!is_bounded);
  SinkSet sinks;
  for (const InsertPlan& insert : plan.inserts)
    RETURN_IF_ERROR(sinks.Add(insert, defaults, !is_bounded, graph));
  if (!is_bounded && !sinks.file_sinks().empty()) {
    return Unimplemented(
        "files of rows that do not end and are not from Kafka are not supported yet; bound the "
        "source ('number-of-rows')");
  }
  return std::unique_ptr<BatchJob>(
      std::make_unique<SqlBatchJob>(std::move(graph), std::move(sinks), is_bounded));
}

Result<BatchReport> RunGraph(const OperatorGraph& graph,
                             const BatchOptions& options,
                             const std::function<Status(const Batch&)>& on_rows) {
  BatchRun run(graph, options, {.is_bounded = true}, [&](size_t, const RowBatch& rows) {
    return on_rows(rows.batch);
  });
  return run.Run();
}

Result<BatchReport> RunQuery(const PlanNode& query,
                             const BatchOptions& options,
                             const std::function<Status(const Batch&)>& on_rows) {
  OperatorGraph graph(false);
  RETURN_IF_ERROR(graph.Add(query, false, 0));
  BatchRun run(graph,
               options,
               {.is_bounded = true, .rows_wanted = RowsWanted(query)},
               [&](size_t, const RowBatch& rows) { return on_rows(rows.batch); });
  return run.Run();
}

}  // namespace slipstream::sql
