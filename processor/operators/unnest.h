#pragma once

#include "processor/expr/expression.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// UnnestOperator: gives each row once for every element of an ARRAY or MAP it has, in their order,
// with what the element is made of behind the row's columns: a ROW's fields, a MAP's key and value,
// or the element itself; then, if asked for, its number from 1. A row without elements is left out,
// or, if `is_outer`, given once with NULLs. Keeps nothing.
class UnnestOperator final : public Operator {
 public:
  UnnestOperator(ExpressionPtr value, bool is_outer, bool has_ordinality, Schema output);
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;

 private:
  const ExpressionPtr value_;
  const bool is_outer_;
  const bool has_ordinality_;
  const Schema output_;
};

}  // namespace slipstream::sql
