#pragma once

#include "processor/columns/column.h"
#include "processor/expr/row_errors.h"
#include "processor/expr/scalar_function.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// Whether CAST(from AS to) exists.
bool IsCastable(const DataType& from, const DataType& to);

// CAST and TRY_CAST of `call.args[0]`, as Flink casts, into `out`, whose type is the target and
// which is already NULL where the argument is. Text that is no such value and integers out of range
// are the row's error (NULL for TRY_CAST); a DECIMAL that does not fit is NULL in both, as in
// Flink; VARCHAR(n) cuts, CHAR(n) pads. TIMESTAMP_LTZ is converted as in UTC; the planner writes
// other zones into the expression.
void CastColumn(const KernelCall& call, bool is_try, Column& out);

}  // namespace slipstream::sql
