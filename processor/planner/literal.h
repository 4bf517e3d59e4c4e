#pragma once

#include <string>

#include "common/status/status.h"
#include "processor/expr/expression.h"
#include "processor/sql/ast.h"

namespace slipstream::sql {

// What a literal means, with Flink's types: 1 is INT, 3000000000 BIGINT, 1.5 DECIMAL(2, 1), 1e3
// DOUBLE, 'ab' CHAR(2), TIMESTAMP '… .123' TIMESTAMP(3). Errors: kInvalidArgument.
Result<ExpressionPtr> BindLiteral(const ast::Literal& literal);

// Microseconds (INTERVAL DAY TO SECOND) or months (INTERVAL YEAR TO MONTH).
Result<ExpressionPtr> BindInterval(const ast::Interval& interval);

// -literal, for numbers and intervals; null: not one of them, or out of range.
ExpressionPtr NegateLiteral(const Expression& literal);

// "1 h 30 min": of a window's size, for people.
std::string DurationText(int64_t microseconds);

}  // namespace slipstream::sql
