#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/status/status.h"
#include "processor/engine/connector_options.h"
#include "processor/engine/operator_graph.h"
#include "processor/engine/sink_writer.h"
#include "processor/engine/stage_layout.h"
#include "processor/planner/plan.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// SinkSet: the tables that a job writes, one sink each, with what the runtime must know of them.
class SinkSet {
 public:
  // Adds the insert's query to `graph` and its table, unless it is there, to the sinks. Columns
  // the insert does not name are NULL; types are cast to the table's.
  Status Add(const InsertPlan& insert,
             const ConnectorDefaults& defaults,
             bool gives_updates,
             OperatorGraph& graph);

  // Whose tasks write the sink.
  void SetWriters(size_t sink, const SinkWriters& writers);

  const std::vector<std::unique_ptr<SinkWriter>>& writers() const { return writers_; }
  const std::vector<TablePtr>& tables() const { return tables_; }  // of the writers
  // Its number among the file sinks, if it is one.
  std::optional<size_t> file_sink(size_t sink) const { return file_numbers_[sink]; }
  const std::vector<runtime::KafkaSinkSpec>& kafka_sinks() const { return kafka_sinks_; }
  const std::vector<runtime::FileSinkSpec>& file_sinks() const { return file_sinks_; }
  const std::vector<runtime::PrintSinkSpec>& print_sinks() const { return print_sinks_; }

 private:
  Result<std::unique_ptr<SinkWriter>> MakeWriter(const TableDefinition& table,
                                                 const ConnectorDefaults& defaults);

  std::vector<std::unique_ptr<SinkWriter>> writers_;
  std::vector<TablePtr> tables_;                     // of the writers
  std::vector<std::optional<size_t>> file_numbers_;  // likewise
  std::vector<runtime::KafkaSinkSpec> kafka_sinks_;
  std::vector<runtime::FileSinkSpec> file_sinks_;
  std::vector<runtime::PrintSinkSpec> print_sinks_;
};

}  // namespace slipstream::sql
