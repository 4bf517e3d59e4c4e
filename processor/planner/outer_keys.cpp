#include "processor/planner/outer_keys.h"

#include <algorithm>
#include <set>

#include "processor/expr/scalar_function.h"
#include "processor/planner/expression_rewrite.h"

namespace slipstream::sql {
namespace {

// Whether it reads outer columns and no others.
bool IsOuter(const Expression& expression) {
  std::set<size_t> columns;
  CollectColumns(expression, columns);
  return !columns.empty() && *columns.begin() >= kFirstOuterColumn;
}

bool IsKey(const Expression& part) {
  if (part.kind != Expression::Kind::kCall || part.args.size() != 2) return false;
  if (part.function->name != "=" && part.function->name != "IS NOT DISTINCT FROM") return false;
  const size_t outer = IsOuter(*part.args[1]) ? 1 : 0;
  return IsOuter(*part.args[outer]) && !IsCorrelated(*part.args[1 - outer]);
}

}  // namespace

bool IsCorrelated(const Expression& expression) {
  std::set<size_t> columns;
  CollectColumns(expression, columns);
  return !columns.empty() && *columns.rbegin() >= kFirstOuterColumn;
}

bool AreKeys(const std::vector<ExpressionPtr>& parts) {
  return std::all_of(parts.begin(), parts.end(), [](const auto& part) { return IsKey(*part); });
}

const ExpressionPtr& OuterSide(const Expression& key) {
  return key.args[IsOuter(*key.args[1]) ? 1 : 0];
}

ExpressionPtr OuterValue(const Expression& key) {
  return ReplaceColumns(OuterSide(key), [](const ExpressionPtr& column) {
    return MakeColumn(column->column - kFirstOuterColumn, column->type);
  });
}

const ExpressionPtr& OwnSide(const Expression& key) {
  return key.args[IsOuter(*key.args[1]) ? 0 : 1];
}

}  // namespace slipstream::sql
