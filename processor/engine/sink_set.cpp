#include "processor/engine/sink_set.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "processor/engine/record_metadata.h"
#include "processor/expr/type_rules.h"

namespace slipstream::sql {
namespace {

// Expressions over the query's columns for the columns of the sink's rows (sink_writer.h); nullopt:
// they are the query's columns as they stand.
Result<std::optional<std::vector<ExpressionPtr>>> SinkProjection(const InsertPlan& insert) {
  const TableDefinition& table = *insert.table;
  std::vector<ExpressionPtr> projection;
  std::vector<size_t> columns = table.physical;
  for (const TableDefinition::MetadataColumn& metadata : table.metadata) {
    if (!metadata.is_virtual) columns.push_back(metadata.column);
  }
  bool is_identity = insert.query->output.size() == columns.size();
  for (size_t column : columns) {
    const DataType& type = table.schema[column].type;
    const auto found = std::find(insert.columns.begin(), insert.columns.end(), column);
    if (found == insert.columns.end()) {
      projection.push_back(MakeLiteral(std::monostate{}, AsNullable(type)));
      is_identity = false;
      continue;
    }
    const auto position = static_cast<size_t>(found - insert.columns.begin());
    const DataType& from = insert.query->output[position].type;
    if (!CanCast(from, type)) {
      return InvalidArgument("table " + table.name + ": column " + table.schema[column].name +
                             " is " + type.ToString() + ", the query gives " + from.ToString());
    }
    if (!IsSameType(from, type) || position != projection.size()) is_identity = false;
    projection.push_back(MakeCast(MakeColumn(position, from), type, false));
  }
  if (is_identity) return std::optional<std::vector<ExpressionPtr>>();
  return std::optional(std::move(projection));
}

}  // namespace

Result<std::unique_ptr<SinkWriter>> SinkSet::MakeWriter(const TableDefinition& table,
                                                        const ConnectorDefaults& defaults) {
  ASSIGN_OR_RETURN(const Connector connector, ConnectorOf(table));
  switch (connector) {
    case Connector::kKafka:
    case Connector::kUpsertKafka: {
      ASSIGN_OR_RETURN(const KafkaTable options, ReadKafkaTable(table, defaults));
      if (options.source.topics.size() != 1) {
        return InvalidArgument("table " + table.name + ": only one topic can be written");
      }
      for (const TableDefinition::MetadataColumn& metadata : table.metadata) {
        if (!metadata.is_virtual) RETURN_IF_ERROR(CheckWritable(table, metadata));
      }
      kafka_sinks_.push_back(options.sink);
      Result<std::unique_ptr<SinkWriter>> writer =
          MakeKafkaWriter(table, options, kafka_sinks_.size() - 1);
      if (!writer.ok()) return writer.status().WithContext("table " + table.name);
      return writer;
    }
    case Connector::kFilesystem: {
      ASSIGN_OR_RETURN(const FileTable options, ReadFileTable(table));
      for (const TableDefinition::MetadataColumn& metadata : table.metadata) {
        if (metadata.is_virtual) continue;
        return InvalidArgument("table " + table.name + ": the metadata '" + metadata.key +
                               "' cannot be written; declare the column " +
                               table.schema[metadata.column].name + " VIRTUAL");
      }
      file_sinks_.push_back(options.sink);
      return MakeFileWriter(table, options, file_sinks_.size() - 1);
    }
    case Connector::kPrint: {
      ASSIGN_OR_RETURN(PrintTable print, ReadPrintTable(table));
      print_sinks_.push_back(std::move(print.sink));
      const size_t sink = print_sinks_.size() - 1;
      if (print.layout == PrintTable::Layout::kFlink) return MakePrintWriter(sink);
      Schema schema;
      for (const size_t column : table.physical)
        schema.push_back(table.schema[column]);
      return MakeTableWriter(
          RowLines(std::move(schema), print.layout == PrintTable::Layout::kTableOfChanges), sink);
    }
    case Connector::kBlackhole:
      RETURN_IF_ERROR(CheckBlackholeTable(table));
      return MakeBlackholeWriter();
    case Connector::kDatagen:
      break;
  }
  return InvalidArgument("table " + table.name + " makes its rows itself; it cannot be written");
}

void SinkSet::SetWriters(size_t sink, const SinkWriters& writers) {
  if (!file_numbers_[sink]) return;
  runtime::FileSinkSpec& spec = file_sinks_[*file_numbers_[sink]];
  spec.sources = writers.sources;
  spec.stages = writers.stages;
}

Status SinkSet::Add(const InsertPlan& insert,
                    const ConnectorDefaults& defaults,
                    bool gives_updates,
                    OperatorGraph& graph) {
  const auto found = std::find(tables_.begin(), tables_.end(), insert.table);
  const auto sink = static_cast<size_t>(found - tables_.begin());
  if (found == tables_.end()) {
    const size_t files = file_sinks_.size();
    ASSIGN_OR_RETURN(std::unique_ptr<SinkWriter> writer, MakeWriter(*insert.table, defaults));
    writers_.push_back(std::move(writer));
    tables_.push_back(insert.table);
    file_numbers_.push_back(file_sinks_.size() > files ? std::optional(files) : std::nullopt);
  }
  ASSIGN_OR_RETURN(std::optional<std::vector<ExpressionPtr>> projection, SinkProjection(insert));
  if (!projection) return graph.Add(*insert.query, gives_updates, sink);
  return graph.Add(*insert.query, *std::move(projection), gives_updates, sink);
}

}  // namespace slipstream::sql
