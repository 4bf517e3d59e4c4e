#include <algorithm>
#include <iterator>
#include <utility>

#include "processor/expr/evaluator.h"
#include "processor/planner/expression_rewrite.h"
#include "processor/planner/optimizer.h"

namespace slipstream::sql {
namespace {

bool IsTrue(const Expression& condition) {
  const bool* const value = std::get_if<bool>(&condition.literal);
  return condition.kind == Expression::Kind::kLiteral && value != nullptr && *value;
}

// A projection of literals over rows of literals is rows of literals.
PlanNodePtr ProjectValues(PlanNodePtr project) {
  const PlanNode& input = *project->inputs.front();
  const bool are_literals =
      std::all_of(project->expressions.begin(),
                  project->expressions.end(),
                  [](const ExpressionPtr& expression) { return IsTrivial(*expression); });
  if (input.kind != PlanNode::Kind::kValues || !are_literals) return project;
  PlanNodePtr values = std::move(project->inputs.front());
  for (std::vector<Value>& row : values->rows) {
    std::vector<Value> projected;
    for (const ExpressionPtr& expression : project->expressions) {
      const bool is_column = expression->kind == Expression::Kind::kColumn;
      projected.push_back(is_column ? row[expression->column] : expression->literal);
    }
    row = std::move(projected);
  }
  values->output = std::move(project->output);
  return values;
}

// Rows of literals that follow one another are one list of rows.
void JoinValues(PlanNode& union_all) {
  std::vector<PlanNodePtr> joined;
  for (PlanNodePtr& input : union_all.inputs) {
    const bool follows = !joined.empty() && joined.back()->kind == PlanNode::Kind::kValues &&
                         input->kind == PlanNode::Kind::kValues;
    if (!follows) {
      joined.push_back(std::move(input));
      continue;
    }
    std::move(input->rows.begin(), input->rows.end(), std::back_inserter(joined.back()->rows));
  }
  union_all.inputs = std::move(joined);
}

}  // namespace

PlanNodePtr FoldPlanConstants(PlanNodePtr node) {
  for (PlanNodePtr& input : node->inputs)
    input = FoldPlanConstants(std::move(input));
  ForEachExpression(*node,
                    [](ExpressionPtr& expression) { expression = FoldConstants(expression); });
  switch (node->kind) {
    case PlanNode::Kind::kFilter:
      if (IsTrue(*node->condition)) return std::move(node->inputs.front());
      return node;
    case PlanNode::Kind::kProject:
      return ProjectValues(std::move(node));
    case PlanNode::Kind::kUnionAll:
      JoinValues(*node);
      if (node->inputs.size() == 1) return std::move(node->inputs.front());
      return node;
    default:
      return node;
  }
}

}  // namespace slipstream::sql
