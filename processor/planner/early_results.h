#pragma once

#include "processor/planner/plan.h"
#include "processor/planner/plan_context.h"

namespace slipstream::sql {

// Lets the aggregates by window that give the rows of `query` show what they have before their
// windows end, if the table it goes into asks for that with 'emit.early-interval'. Nothing changes
// where the input ends. Throws SqlError: the table takes no updates, or the rows are not those of
// such aggregates as they stand. Private to planner/.
void AddEarlyResults(const PlanContext& context,
                     Span at,
                     const TableDefinition& table,
                     PlanNode& query);

}  // namespace slipstream::sql
