#pragma once

#include "processor/planner/plan.h"
#include "processor/planner/plan_context.h"

namespace slipstream::sql {

// Throws SqlError at `at` unless every operator of the optimized plan can run over its input:
// windows, OVER and first rows need input whose rows stay, and OVER over input that does not end
// needs the order of its event time. Private to planner/.
void CheckStream(const PlanContext& context, Span at, const PlanNode& node);

}  // namespace slipstream::sql
