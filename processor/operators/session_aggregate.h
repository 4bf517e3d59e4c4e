#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "processor/operators/aggregate_layout.h"
#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"
#include "processor/operators/partial_rows.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// SessionAggregateOperator: aggregation by group columns and sessions: rows of a group that follow
// one another with at most the gap between them. Gives the group columns, the aggregates and the
// window properties, session after session by end, then by group.
//
// Time        a session is [first row, last row + gap). It grows and joins others until the
//             watermark reaches its end less one millisecond; then it fires. A row is dropped, and
//             counted, if the session it would make or join has fired by then.
// State       one saved key for each open session. Format: docs/FORMATS.md, section "State".
class SessionAggregateOperator final : public Operator {
 public:
  struct Description {
    WindowSpec window;
    std::vector<size_t> group_columns;
    std::vector<AggregateCall> aggregates;
    std::vector<WindowProperty> properties;
    Schema input;
    Schema output;
    // The rows are partial ones (partial_rows.h); `input` and what counts its columns are those of
    // the rows they stand for.
    bool merges = false;
  };
  explicit SessionAggregateOperator(Description description);

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
  class State;

  const Description description_;
  const AggregateLayout layout_;
  const std::optional<PartialSchema> partials_;
  const size_t time_column_;  // of what comes in
  const RowKeyCodec codec_;
};

}  // namespace slipstream::sql
