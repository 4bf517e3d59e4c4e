#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "processor/operators/join_rows.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// WindowJoinOperator: joins rows that lie in the same window, start and end of which are keys of
// the join, once the watermark is at its end. Nothing it gives is taken back.
//
// Emission    window by window, in the order of their ends, and by key. A row that comes when its
//             window has fired is dropped and counted.
// State       the rows of windows that have not fired. docs/FORMATS.md, section "State".
// Errors      a left row for which the condition fails with any right one is rejected, and joined
//             with none.
class WindowJoinOperator final : public Operator {
 public:
  explicit WindowJoinOperator(JoinDescription description);

  std::unique_ptr<OperatorState> MakeState() const override;
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override;
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
  struct Groups;

  Status Emit(Groups groups, OperatorOutput& out) const;
  // Tests the pairs and gives those that hold; which rows have found a partner is noted.
  Status EmitPairs(RowPairs& pairs, Groups& groups, OperatorOutput& out) const;
  Status EmitAlone(const Groups& groups, OperatorOutput& out) const;

  const JoinDescription description_;
  const JoinSide sides_[2];
  const JoinPairs pairs_;
};

}  // namespace slipstream::sql
