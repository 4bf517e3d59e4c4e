#include "processor/expr/watermark_function.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "processor/expr/scalar_function.h"

namespace slipstream::sql {
namespace {

bool IsCall(const Expression& expression) {
  return expression.kind == Expression::Kind::kCall &&
         expression.function->name == "CURRENT_WATERMARK";
}

}  // namespace

bool AsksWatermark(const Expression& expression) {
  return IsCall(expression) || std::any_of(expression.args.begin(),
                                           expression.args.end(),
                                           [](const auto& arg) { return AsksWatermark(*arg); });
}

ExpressionPtr WithWatermark(const ExpressionPtr& expression, int64_t watermark) {
  if (IsCall(*expression)) {
    const bool is_known = watermark != std::numeric_limits<int64_t>::min();
    return MakeLiteral(is_known ? Value(watermark) : Value(), expression->type);
  }
  if (!AsksWatermark(*expression)) return expression;
  auto copy = std::make_shared<Expression>(*expression);
  for (ExpressionPtr& arg : copy->args)
    arg = WithWatermark(arg, watermark);
  return copy;
}

}  // namespace slipstream::sql
