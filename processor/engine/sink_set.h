#pragma once

#include <memory>
#include <vector>

#include "common/status/status.h"
#include "processor/engine/connector_options.h"
#include "processor/engine/operator_graph.h"
#include "processor/engine/sink_writer.h"
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

  const std::vector<std::unique_ptr<SinkWriter>>& writers() const { return writers_; }
  const std::vector<runtime::KafkaSinkSpec>& kafka_sinks() const { return kafka_sinks_; }
  const std::vector<runtime::FileSinkSpec>& file_sinks() const { return file_sinks_; }
  const std::vector<runtime::PrintSinkSpec>& print_sinks() const { return print_sinks_; }

 private:
  Result<std::unique_ptr<SinkWriter>> MakeWriter(const TableDefinition& table,
                                                 const ConnectorDefaults& defaults);

  std::vector<std::unique_ptr<SinkWriter>> writers_;
  std::vector<TablePtr> tables_;  // of the writers
  std::vector<runtime::KafkaSinkSpec> kafka_sinks_;
  std::vector<runtime::FileSinkSpec> file_sinks_;
  std::vector<runtime::PrintSinkSpec> print_sinks_;
};

}  // namespace slipstream::sql
