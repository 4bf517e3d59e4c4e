#pragma once

#include <string>
#include <vector>

#include "processor/expr/expression.h"

namespace slipstream::sql {

// JSON_OBJECT and JSON_ARRAY put what is JSON already, because it is such a call itself, into
// their result as it stands. A text does not tell that, so MakeCall writes it down in an argument
// of theirs: a literal with a letter for each of the values.
inline constexpr char kJsonShape = 'j';
inline constexpr char kValueShape = 'v';

// Whether the expression, as it is written, makes JSON.
bool MakesJson(const Expression& expression);
ExpressionPtr JsonShapeOf(const std::vector<ExpressionPtr>& args, size_t first);

}  // namespace slipstream::sql
