#pragma once

#include <memory>
#include <string>
#include <vector>

#include "processor/types/data_type.h"
#include "processor/types/value.h"

namespace slipstream::sql {

struct ScalarFunction;
struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;  // shared by plan nodes after rewrites

// Expression: a bound scalar expression: columns are positions, functions and types resolved, every
// coercion an explicit kCast. Immutable once built; the evaluator (expr/evaluator.h) runs it over a
// batch, a column at a time.
struct Expression {
  enum class Kind : uint8_t {
    kColumn,   // column
    kLiteral,  // literal, of `type`
    kCall,     // function over args
    kCast,     // args[0] to `type`; with is_try a failure is NULL, else it is the row's error
    kCase,     // args: when1, then1, when2, then2, …, else; the first true when wins
    kOuter,    // column, of a query around; only in plans that are not joined with it yet
  };

  Kind kind = Kind::kLiteral;
  DataType type;
  size_t column = 0;
  Value literal;
  const ScalarFunction* function = nullptr;  // lives as long as the process
  bool is_try = false;
  std::vector<ExpressionPtr> args;

  // As EXPLAIN shows it, with `names` for the columns: "(dep_delay > 15)", "UPPER(carrier)".
  std::string ToString(const std::vector<Field>& names) const;
};

ExpressionPtr MakeColumn(size_t column, DataType type);
ExpressionPtr MakeOuterColumn(size_t column, DataType type);
ExpressionPtr MakeLiteral(Value value, DataType type);
// `from` itself where it already has the type (nullability aside).
ExpressionPtr MakeCast(ExpressionPtr from, DataType to, bool is_try);

}  // namespace slipstream::sql
