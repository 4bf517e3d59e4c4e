#pragma once

#include <vector>

#include "processor/columns/batch.h"
#include "processor/expr/expression.h"
#include "processor/expr/row_errors.h"

namespace slipstream::sql {

// The expression's value for each row of `batch`, a column at a time. New strings go into `arena`,
// which must live as long as the result; others still point to what the batch keeps alive. A row
// that fails is NULL in the result and stands in `errors`; what CASE, AND, OR and COALESCE do not
// need cannot fail.
Column Evaluate(const Expression& expression, const Batch& batch, Arena& arena, RowErrors& errors);

// Indexes of the rows for which the condition is TRUE, ascending.
std::vector<uint32_t> SelectRows(const Expression& condition,
                                 const Batch& batch,
                                 Arena& arena,
                                 RowErrors& errors);

// The same expression with every part that needs no column computed once; a part that fails stays
// as it is, and fails the rows that need it. All functions but those of the clock, which take no
// arguments and stay, are deterministic.
ExpressionPtr FoldConstants(const ExpressionPtr& expression);

// Marks in `used` the columns that the expression reads.
void MarkColumns(const Expression& expression, std::vector<bool>& used);

}  // namespace slipstream::sql
