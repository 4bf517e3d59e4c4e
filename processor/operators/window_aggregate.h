#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "processor/operators/aggregate_layout.h"
#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"
#include "processor/operators/partial_rows.h"
#include "processor/operators/window_assigner.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// WindowAggregateOperator: aggregation by window and group columns over tumbling, hopping and
// cumulating windows. Gives the group columns, the aggregates and the window properties, window
// after window by end, within a window in the order of the group's key.
//
// Layout      one hash table for each open window, by its end; in it one state for each group.
//             Where rows lie in several windows and these are made of equal slices (HOP whose size
//             is a multiple of its slide, CUMULATE), a table for each slice instead, by its end,
//             which is that of its first window: a row counts once, and a window that fires is put
//             together. Not with `early_us`, nor where the order of rows matters.
// Time        a window fires when the watermark reaches its end less one millisecond. A row is
//             left out of those of its windows that have fired, and counted once if there are any.
// Early       with `early_us` groups of open windows are shown as updates of one another, so often
//             (processing time) after they have changed; the last is that of the window that fired.
//             They are given as they are now, without the row that they take the place of. After a
//             restore one may be given again.
// State       one saved key for each table and group; deleted when the last window has fired.
//             Format: docs/FORMATS.md, section "State".
class WindowAggregateOperator final : public Operator {
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
    int64_t early_us = 0;  // 0: windows are given once
  };
  explicit WindowAggregateOperator(Description description);

  std::unique_ptr<OperatorState> MakeState() const override;
  // Not with `early_us`: what is to be shown next has to be at hand.
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;
  int64_t NextFiring(const OperatorState* state) const override;
  int64_t NextTick(const OperatorState* state) const override;
  Status Tick(int64_t now_us, OperatorState* state, OperatorOutput& out) const override;
  bool is_stateful() const override { return true; }
  void SaveChanges(OperatorState* state, StateSink& sink) const override;
  Status Restore(OperatorState* state, std::string_view key, std::string_view value) const override;
  void RestoreWatermark(OperatorState* state, int64_t watermark) const override;

 private:
  struct State;
  class Results;

  // The ends of the windows that a table counts for.
  WindowEnds EndsOf(int64_t table_end) const;
  // The end of the next window to fire; there is a table.
  int64_t NextEnd(const State& state) const;
  // Counts the rows in their windows, and notes those that came too late for one.
  Status AddRows(const Batch& batch,
                 const AggregateLayout::Inputs& inputs,
                 int64_t watermark,
                 State& state) const;
  // Updates the states that rows were found to count in.
  Status Count(const Batch& batch, const AggregateLayout::Inputs& inputs, State& state) const;
  // Gives the window, and forgets the tables of which it is the last.
  Status Fire(int64_t end, State& state, Results& results) const;

  const Description description_;
  const AggregateLayout layout_;
  const bool is_sliced_;
  const std::optional<PartialSchema> partials_;
  const size_t time_column_;  // of what comes in
  const RowKeyCodec codec_;
};

}  // namespace slipstream::sql
