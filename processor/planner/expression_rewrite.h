#pragma once

#include <functional>
#include <set>

#include "processor/expr/expression.h"

namespace slipstream::sql {

// Whether both compute the same from the same columns, nullability of types aside.
bool IsEqual(const Expression& a, const Expression& b);

void CollectColumns(const Expression& expression, std::set<size_t>& columns);

// `expression` with every column replaced by what `replace` gives for it.
ExpressionPtr ReplaceColumns(const ExpressionPtr& expression,
                             const std::function<ExpressionPtr(const ExpressionPtr&)>& replace);

// A cast that is not TRY_CAST; of a literal it is carried out where the value stays what it is.
ExpressionPtr CastTo(ExpressionPtr expression, const DataType& type);

// PROCTIME().
bool IsProcessingTime(const Expression& expression);

// A column or a literal: free to compute twice.
bool IsTrivial(const Expression& expression);

}  // namespace slipstream::sql
