#pragma once

#include <cstddef>
#include <vector>

#include "processor/expr/expression.h"
#include "processor/planner/relation.h"

namespace slipstream::sql {

// Columns of the query around a subquery stand in the subquery's expressions under these numbers,
// until both are joined. A key equates a value of the query around, one over such columns alone,
// with one over the subquery's own columns. Private to planner/.
inline constexpr size_t kFirstOuterColumn = kVirtualColumns * 4;

// Whether it reads an outer column.
bool IsCorrelated(const Expression& expression);

// Whether all are keys.
bool AreKeys(const std::vector<ExpressionPtr>& parts);

// Of a key: the outer value, as it stands there and over the query around's own numbers, and what
// it is equal to.
const ExpressionPtr& OuterSide(const Expression& key);
ExpressionPtr OuterValue(const Expression& key);
const ExpressionPtr& OwnSide(const Expression& key);

}  // namespace slipstream::sql
