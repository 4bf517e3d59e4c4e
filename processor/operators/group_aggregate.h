#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "processor/operators/aggregate_layout.h"
#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"
#include "processor/operators/partial_rows.h"
#include "processor/operators/row_codec.h"

namespace slipstream::sql {

// GroupAggregateOperator: aggregation by columns without a window.
//
// Bounded     over bounded input it gives each group once, at the end, in the order of the keys
//             (without group columns: one row even over no rows).
// Updates     as an update stream it gives, after each batch, what the batch changed, in the order
//             of the groups' keys: new groups, changed ones as they were and as they are, and those
//             whose last row was taken back. A group whose results stay equal gives nothing.
// State       one saved key for each group, for ever, or until its last row is taken back. Format:
//             docs/FORMATS.md, section "State".
class GroupAggregateOperator final : public Operator {
 public:
  struct Description {
    std::vector<size_t> group_columns;
    std::vector<AggregateCall> aggregates;
    Schema input;
    Schema output;
    bool gives_updates = false;
    // The input is an update stream; every call can retract (regroup_aggregate.h has
    // the others).
    bool takes_back = false;
    // The rows are partial ones (partial_rows.h); `input` and `group_columns` are those of the rows
    // they stand for.
    bool merges = false;
  };
  explicit GroupAggregateOperator(Description description);

  std::unique_ptr<OperatorState> MakeState() const override;
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;
  bool Forget(OperatorState* state, std::string_view key) const override;
  bool is_stateful() const override { return true; }
  void SaveChanges(OperatorState* state, StateSink& sink) const override;
  Status Restore(OperatorState* state, std::string_view key, std::string_view value) const override;

 private:
  struct State;
  struct Touched;

  // Counts the rows in their groups, or takes them out again.
  Status Apply(const std::vector<struct Group*>& groups,
               const RowBatch& rows,
               const AggregateLayout::Inputs& inputs) const;
  Status Merge(const std::vector<struct Group*>& groups, const Batch& partials) const;
  Status EmitChanges(const std::vector<Touched>& touched, Batch results, OperatorOutput& out) const;
  // Appends the group's results to `to`.
  Status AppendGroup(const struct Group& group, Arena& arena, Batch& to) const;

  const Description description_;
  const AggregateLayout layout_;
  const std::optional<PartialSchema> partials_;
  const RowKeyCodec codec_;
  const RowCodec result_codec_;
};

}  // namespace slipstream::sql
