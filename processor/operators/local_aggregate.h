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

// Of the column that rows are ordered by.
inline DataType OrderType() {
  return {.kind = TypeKind::kVarbinary, .precision = INT32_MAX, .nullable = false};
}

// LocalAggregateOperator: aggregates, of each group, the rows of an epoch that one task has, and
// gives them as partial rows: far fewer than rows, where groups have many. The aggregation behind
// it puts them together (GroupAggregateOperator, WindowAggregateOperator).
//
// Windows     rows are put together by slices: stretches of time that no window begins or ends in.
//             A partial row counts in all windows that its slice lies in, so a row of overlapping
//             windows is held once. Of sessions, which nobody knows yet, every time is a slice.
// Time        it judges no row late: that is for the one behind it to say, of all rows of a partial
//             row at once, since they are in the same windows.
// State       none that is saved: EndEpoch gives all it holds. Before that it gives what it holds
//             when that is more than some megabytes, or when a partial row might become too large
//             to send.
class LocalAggregateOperator final : public Operator {
 public:
  struct Description {
    std::optional<WindowSpec> window;
    std::vector<size_t> group_columns;
    std::vector<AggregateCall> aggregates;
    // The aggregates read a column behind the input's, OrderType(), which sorts rows by event time,
    // then by where their records stand; the rows have origins and places.
    bool orders_rows = false;
    Schema input;
  };
  explicit LocalAggregateOperator(Description description);

  const PartialSchema& output() const { return output_; }

  std::unique_ptr<OperatorState> MakeState() const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;
  Status EndEpoch(OperatorState* state, OperatorOutput& out) const override;

 private:
  struct State;

  // Puts the column by which rows are ordered behind the others.
  void AppendOrder(RowBatch& rows, State& state) const;
  // Bytes that the row may add to a state that grows with its rows.
  size_t GrowthOf(const AggregateLayout::Inputs& inputs, uint32_t row) const;
  // Notes that the group's state grows by so much; how much that is by now.
  static size_t Grow(const struct Group& group, size_t bytes, State& state);
  // The group that the row counts in; `time`: by which it is in windows, if there are any.
  struct Group& Hold(const Batch& batch, uint32_t row, int64_t time, State& state) const;
  // Gives all that is held.
  Status Give(State& state, OperatorOutput& out) const;

  const Description description_;
  const int64_t slice_us_;  // 0: no window, or rows that have theirs already
  const AggregateLayout layout_;
  const std::vector<size_t> growing_;  // calls whose states grow with their rows
  const RowKeyCodec codec_;
  const PartialSchema output_;
};

}  // namespace slipstream::sql
