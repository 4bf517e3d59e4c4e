#include "processor/planner/conjuncts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "processor/expr/function_registry.h"
#include "processor/expr/scalar_function.h"
#include "processor/planner/expression_rewrite.h"

namespace slipstream::sql {
namespace {

bool IsCall(const Expression& expression, std::string_view name) {
  return expression.kind == Expression::Kind::kCall && expression.function->name == name;
}

bool Contains(const std::vector<ExpressionPtr>& parts, const ExpressionPtr& part) {
  return std::any_of(
      parts.begin(), parts.end(), [&](const auto& other) { return IsEqual(*other, *part); });
}

void SplitDisjuncts(const ExpressionPtr& condition, std::vector<ExpressionPtr>& branches) {
  if (!IsCall(*condition, "OR")) return branches.push_back(condition);
  for (const ExpressionPtr& arg : condition->args)
    SplitDisjuncts(arg, branches);
}

// Takes what all branches have in common out of an OR.
void SplitOr(const ExpressionPtr& condition, std::vector<ExpressionPtr>& parts) {
  std::vector<ExpressionPtr> branches;
  SplitDisjuncts(condition, branches);
  std::vector<std::vector<ExpressionPtr>> split(branches.size());
  for (size_t i = 0; i < branches.size(); ++i)
    SplitConjuncts(branches[i], split[i]);
  std::vector<ExpressionPtr> common;
  for (const ExpressionPtr& part : split.front()) {
    if (std::all_of(
            split.begin(), split.end(), [&](const auto& other) { return Contains(other, part); })) {
      common.push_back(part);
    }
  }
  if (common.empty()) return parts.push_back(condition);
  ExpressionPtr rest;
  bool always_holds = false;
  for (std::vector<ExpressionPtr>& branch : split) {
    std::erase_if(branch, [&](const ExpressionPtr& part) { return Contains(common, part); });
    const ExpressionPtr left = AllOf(branch);
    always_holds = always_holds || !left;
    if (always_holds) continue;
    rest = rest ? MakeCall("OR", {rest, left}).value() : left;
  }
  parts.insert(parts.end(), common.begin(), common.end());
  if (!always_holds) parts.push_back(std::move(rest));
}

}  // namespace

void SplitConjuncts(const ExpressionPtr& condition, std::vector<ExpressionPtr>& parts) {
  if (IsCall(*condition, "OR")) return SplitOr(condition, parts);
  if (!IsCall(*condition, "AND")) return parts.push_back(condition);
  for (const ExpressionPtr& arg : condition->args)
    SplitConjuncts(arg, parts);
}

ExpressionPtr And(ExpressionPtr condition, ExpressionPtr part) {
  if (!condition) return part;
  // Two BOOLEANs always have an AND.
  return MakeCall("AND", {std::move(condition), std::move(part)}).value();
}

ExpressionPtr AllOf(const std::vector<ExpressionPtr>& parts) {
  ExpressionPtr condition;
  for (const ExpressionPtr& part : parts)
    condition = And(std::move(condition), part);
  return condition;
}

}  // namespace slipstream::sql
