#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "processor/planner/expression_rewrite.h"
#include "processor/planner/optimizer.h"

namespace slipstream::sql {
namespace {

void CountColumns(const Expression& expression, std::map<size_t, size_t>& uses) {
  if (expression.kind == Expression::Kind::kColumn) ++uses[expression.column];
  for (const ExpressionPtr& arg : expression.args)
    CountColumns(*arg, uses);
}

// Trees are walked by recursion, so they must not grow with the number of views.
constexpr size_t kHeightMax = 500;

size_t Height(const Expression& expression) {
  size_t height = 0;
  for (const ExpressionPtr& arg : expression.args)
    height = std::max(height, Height(*arg));
  return height + 1;
}

size_t MaxHeight(const std::vector<ExpressionPtr>& expressions) {
  size_t height = 0;
  for (const ExpressionPtr& expression : expressions)
    height = std::max(height, Height(*expression));
  return height;
}

// Whether no expression of `lower` would be computed more often than now.
bool CanMerge(const PlanNode& upper, const PlanNode& lower) {
  std::map<size_t, size_t> uses;
  for (const ExpressionPtr& expression : upper.expressions)
    CountColumns(*expression, uses);
  for (const auto& [column, count] : uses) {
    if (count > 1 && !IsTrivial(*lower.expressions[column])) return false;
  }
  return MaxHeight(upper.expressions) + MaxHeight(lower.expressions) <= kHeightMax;
}

// Every column passes as it is.
bool OnlyRenames(const PlanNode& project) {
  if (project.expressions.size() != project.inputs.front()->output.size()) return false;
  for (size_t i = 0; i < project.expressions.size(); ++i) {
    const Expression& expression = *project.expressions[i];
    if (expression.kind != Expression::Kind::kColumn || expression.column != i) return false;
  }
  return true;
}

bool HaveSameNames(const Schema& a, const Schema& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.name == y.name;
  });
}

// Gives the node's output other names, if it makes them up itself; false: they come from elsewhere.
bool Rename(PlanNode& node, const Schema& names) {
  switch (node.kind) {
    case PlanNode::Kind::kFilter:
    case PlanNode::Kind::kSort:
    case PlanNode::Kind::kLimit:
      if (!Rename(*node.inputs.front(), names)) return false;
      break;
    case PlanNode::Kind::kProject:
    case PlanNode::Kind::kAggregate:
    case PlanNode::Kind::kWindowAggregate:
    case PlanNode::Kind::kValues:
      break;
    default:
      return HaveSameNames(node.output, names);
  }
  for (size_t i = 0; i < names.size(); ++i)
    node.output[i].name = names[i].name;
  return true;
}

bool ChangesNothing(const PlanNode& project) {
  return OnlyRenames(project) && Rename(*project.inputs.front(), project.output);
}

}  // namespace

PlanNodePtr MergeProjects(PlanNodePtr node) {
  for (PlanNodePtr& input : node->inputs)
    input = MergeProjects(std::move(input));
  if (node->kind != PlanNode::Kind::kProject) return node;
  if (ChangesNothing(*node)) return std::move(node->inputs.front());
  const PlanNode& lower = *node->inputs.front();
  if (lower.kind == PlanNode::Kind::kProject && CanMerge(*node, lower)) {
    for (ExpressionPtr& expression : node->expressions) {
      expression = ReplaceColumns(expression, [&](const ExpressionPtr& column) {
        return lower.expressions[column->column];
      });
    }
    PlanNodePtr below = std::move(node->inputs.front()->inputs.front());
    node->inputs.front() = std::move(below);
    if (ChangesNothing(*node)) return std::move(node->inputs.front());
  }
  return node;
}

}  // namespace slipstream::sql
