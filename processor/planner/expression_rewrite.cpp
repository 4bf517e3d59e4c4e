#include "processor/planner/expression_rewrite.h"

#include <algorithm>
#include <utility>

#include "processor/expr/scalar_function.h"

namespace slipstream::sql {
namespace {

bool IsSameTypeButNull(DataType a, DataType b) {
  a.nullable = true;
  b.nullable = true;
  return a == b;
}

}  // namespace

bool IsEqual(const Expression& a, const Expression& b) {
  const bool same_node = a.kind == b.kind && a.column == b.column && a.literal == b.literal &&
                         a.function == b.function && a.is_try == b.is_try &&
                         IsSameTypeButNull(a.type, b.type);
  return same_node && std::equal(a.args.begin(),
                                 a.args.end(),
                                 b.args.begin(),
                                 b.args.end(),
                                 [](const auto& x, const auto& y) { return IsEqual(*x, *y); });
}

void CollectColumns(const Expression& expression, std::set<size_t>& columns) {
  if (expression.kind == Expression::Kind::kColumn) columns.insert(expression.column);
  for (const ExpressionPtr& arg : expression.args)
    CollectColumns(*arg, columns);
}

ExpressionPtr ReplaceColumns(const ExpressionPtr& expression,
                             const std::function<ExpressionPtr(const ExpressionPtr&)>& replace) {
  if (expression->kind == Expression::Kind::kColumn) return replace(expression);
  if (expression->args.empty()) return expression;
  auto copy = std::make_shared<Expression>(*expression);
  for (ExpressionPtr& arg : copy->args)
    arg = ReplaceColumns(arg, replace);
  if (copy->kind == Expression::Kind::kCast && !copy->is_try) {
    return CastTo(copy->args.front(), copy->type);
  }
  return copy;
}

ExpressionPtr CastTo(ExpressionPtr expression, const DataType& type) {
  const DataType& from = expression->type;
  const bool stays =
      (from.is_integer() && type.is_integer() && from.kind <= type.kind) ||
      (from.is_string() && type.kind == TypeKind::kVarchar && from.precision <= type.precision);
  if (expression->kind == Expression::Kind::kLiteral && stays) {
    return MakeLiteral(expression->literal, type);
  }
  return MakeCast(std::move(expression), type, false);
}

bool IsProcessingTime(const Expression& expression) {
  return expression.kind == Expression::Kind::kCall && expression.function->name == "PROCTIME";
}

bool IsTrivial(const Expression& expression) {
  return expression.kind == Expression::Kind::kColumn ||
         expression.kind == Expression::Kind::kLiteral;
}

}  // namespace slipstream::sql
