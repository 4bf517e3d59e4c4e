#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"
#include "processor/operators/row_codec.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// SessionRowsOperator: SESSION without an aggregate over it: gives each row with start, end and
// time of the session it lies in behind its columns, once the session has ended: session after
// session by end, then by partition, the rows of one by time and arrival.
//
// Time        as of SessionAggregateOperator.
// State       the rows of open sessions; which sessions there are follows from them. Format:
//             docs/FORMATS.md, section "State".
class SessionRowsOperator final : public Operator {
 public:
  struct Description {
    WindowSpec window;
    std::vector<size_t> partition_columns;
    Schema input;
    Schema output;
  };
  explicit SessionRowsOperator(Description description);

  std::unique_ptr<OperatorState> MakeState() const override;
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;
  int64_t NextFiring(const OperatorState* state) const override;
  bool is_stateful() const override { return true; }
  void SaveChanges(OperatorState* state, StateSink& sink) const override;
  Status Restore(OperatorState* state, std::string_view key, std::string_view value) const override;

 private:
  struct State;

  const Description description_;
  const RowKeyCodec key_codec_;
  const RowCodec row_codec_;
};

}  // namespace slipstream::sql
