#include "processor/planner/optimizer.h"

#include <utility>

namespace slipstream::sql {

PlanNodePtr Optimize(PlanNodePtr root) {
  root = MergeProjects(PushFilters(std::move(root)));
  root = FoldPlanConstants(std::move(root));
  // Pruning renumbers columns, after which more projections change nothing.
  return MergeProjects(PruneColumns(std::move(root)));
}

}  // namespace slipstream::sql
