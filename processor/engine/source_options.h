#pragma once

#include "common/status/status.h"
#include "processor/engine/connector_options.h"
#include "processor/planner/plan.h"
#include "processor/planner/table_options.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// Reads what the tables that tasks read have in common, be they topics or folders: where dead
// letters and late rows go, whether records may be lost, when watermarks come.
// Errors  kInvalidArgument; messages begin with the table's name.
Status ReadSourceOptions(const TableDefinition& table,
                         const ConnectorDefaults& defaults,
                         OptionReader& options,
                         runtime::KafkaSourceSpec& source,
                         bool& watermark_on_event);

}  // namespace slipstream::sql
