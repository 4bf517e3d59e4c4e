#pragma once

#include "processor/operators/operator.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// WindowRowsOperator: a window table function without an aggregate over it: gives each row once for
// every tumbling, hopping or cumulating window it lies in, by the windows' ends, with the window's
// start, end and time behind its columns. Keeps nothing, so no row is late for it.
class WindowRowsOperator final : public Operator {
 public:
  WindowRowsOperator(const WindowSpec& window, Schema output);
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;

 private:
  Status EmitRows(const RowBatch& rows,
                  const std::vector<uint32_t>& lines,
                  const std::vector<int64_t>& ends,
                  OperatorOutput& out) const;

  const WindowSpec window_;
  const Schema output_;
};

}  // namespace slipstream::sql
