#pragma once

#include "processor/planner/plan.h"

namespace slipstream::sql {

// Whether reading the table ends: files; Kafka with 'scan.bounded.mode'; a counted datagen.
bool IsBounded(const TableDefinition& table);

// Whether the plan's rows end.
bool IsBounded(const PlanNode& node, bool every_input_is_bounded);

// Whether the plan gives updates of earlier rows besides new ones: a running aggregate.
bool IsUpdateStream(const PlanNode& node, bool every_input_is_bounded);

}  // namespace slipstream::sql
