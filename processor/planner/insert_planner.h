#pragma once

#include "processor/planner/plan.h"
#include "processor/planner/plan_context.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// Plans INSERT INTO: which columns, the casts, and whether the table can take the rows: updates of
// a running aggregate go into upsert-kafka tables by their key, or are printed. Optimized. Throws
// SqlError. Private to planner/.
InsertPlan PlanInsert(PlanContext& context, const ast::Insert& insert);

}  // namespace slipstream::sql
