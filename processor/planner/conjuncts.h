#pragma once

#include <vector>

#include "processor/expr/expression.h"

namespace slipstream::sql {

// Conditions as lists of parts that all have to hold. Private to planner/.

// Appends the parts of `condition`, in order. What every branch of an OR asks for is a part of its
// own: (a AND b) OR (a AND c) is a, then b OR c.
void SplitConjuncts(const ExpressionPtr& condition, std::vector<ExpressionPtr>& parts);

// The condition that is the parts; null: there are none, and it always holds.
ExpressionPtr AllOf(const std::vector<ExpressionPtr>& parts);

// `condition`, which may be null, and `part`.
ExpressionPtr And(ExpressionPtr condition, ExpressionPtr part);

}  // namespace slipstream::sql
