#pragma once

#include <set>
#include <vector>

#include "processor/planner/plan.h"

namespace slipstream::sql {

// Whether the rows of the table, or of the query, end.
bool IsBounded(const TableDefinition& table);
bool IsBounded(const PlanNode& node, bool every_input_is_bounded);

// Whether the table is a folder that is watched for new files: 'source.monitor-interval'.
bool IsWatched(const TableDefinition& table);

// Whether the table, or some table that the query reads, is read by tasks over partitions: those of
// Kafka always, watched ones unless every input is to end.
bool IsReadByTasks(const TableDefinition& table, bool every_input_is_bounded);
bool IsReadByTasks(const PlanNode& node, bool every_input_is_bounded);

// Whether the table's records say how rows change: 'upsert-kafka', and formats of change data.
bool IsUpdateSource(const TableDefinition& table);

// Whether rows are followed by newer versions of themselves, or taken back: a running aggregate,
// Top-N, the last row of each key, windows that are shown early, an outer join, such a source (even
// if it ends), and what is made of them.
bool IsUpdateStream(const PlanNode& node, bool every_input_is_bounded);

// Whether it is the first row of each key by event time, which is final once the watermark is
// there, or by PROCTIME, which is final at once.
bool IsFirstRow(const PlanNode& node);

// Sets of output columns that no two rows of the result agree in: whatever changes, changes the row
// of its key.
std::vector<std::set<size_t>> UniqueKeys(const PlanNode& node);

}  // namespace slipstream::sql
