#include "processor/planner/optimizer.h"

#include <utility>

namespace slipstream::sql {

PlanNodePtr Optimize(PlanNodePtr root, bool every_input_is_bounded) {
  root = FindJoinKeys(PushFilters(std::move(root)));
  ChooseJoins(*root, every_input_is_bounded);
  root = FoldPlanConstants(MergeProjects(std::move(root)));
  // Pruning renumbers columns, after which more projections change nothing.
  return SortStreams(MergeProjects(PruneColumns(std::move(root))), every_input_is_bounded);
}

}  // namespace slipstream::sql
