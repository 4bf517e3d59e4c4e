#pragma once

#include <memory>
#include <vector>

#include "processor/operators/aggregate_layout.h"
#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// GroupAggregateOperator: aggregation by columns without a window. Over bounded input it gives each
// group once, at the end, in the order of the keys (without group columns: one row even over no
// rows). As an update stream it gives, after each batch, the groups that the batch changed, with
// their new values, in the order of their keys: only the last row of a group is its result.
//
// State       one saved key for each group, for ever. Format: docs/FORMATS.md, section "State".
class GroupAggregateOperator final : public Operator {
 public:
  struct Description {
    std::vector<size_t> group_columns;
    std::vector<AggregateCall> aggregates;
    Schema input;
    Schema output;
    bool gives_updates = false;
  };
  explicit GroupAggregateOperator(Description description);

  std::unique_ptr<OperatorState> MakeState() const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;
  bool is_stateful() const override { return true; }
  void SaveChanges(OperatorState* state, StateSink& sink) const override;
  Status Restore(OperatorState* state, std::string_view key, std::string_view value) const override;

 private:
  struct State;

  Status EmitGroups(const std::vector<struct Group*>& groups, OperatorOutput& out) const;

  const Description description_;
  const AggregateLayout layout_;
  const KeyCodec codec_;
};

}  // namespace slipstream::sql
