#include <set>
#include <utility>

#include "processor/planner/expression_rewrite.h"
#include "processor/planner/optimizer.h"
#include "processor/planner/plan_builder.h"

namespace slipstream::sql {
namespace {

bool ReadsOnlyTrivial(const Expression& condition, const PlanNode& project) {
  std::set<size_t> columns;
  CollectColumns(condition, columns);
  for (const size_t column : columns) {
    if (!IsTrivial(*project.expressions[column])) return false;
  }
  return true;
}

}  // namespace

PlanNodePtr PushFilters(PlanNodePtr node) {
  if (node->kind == PlanNode::Kind::kFilter) {
    PlanNodePtr below = std::move(node->inputs.front());
    if (below->kind == PlanNode::Kind::kProject && ReadsOnlyTrivial(*node->condition, *below)) {
      ExpressionPtr condition = ReplaceColumns(node->condition, [&](const ExpressionPtr& column) {
        return below->expressions[column->column];
      });
      below->inputs.front() = MakeFilter(std::move(below->inputs.front()), std::move(condition));
      return PushFilters(std::move(below));
    }
    if (below->kind == PlanNode::Kind::kFilter) {
      // Two BOOLEANs always have an AND.
      below->condition = MakeCall("AND", {below->condition, node->condition}).value();
      return PushFilters(std::move(below));
    }
    node->inputs.front() = std::move(below);
  }
  for (PlanNodePtr& input : node->inputs)
    input = PushFilters(std::move(input));
  return node;
}

}  // namespace slipstream::sql
