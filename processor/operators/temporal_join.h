#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "processor/operators/join_rows.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// TemporalJoinOperator: puts beside each left row the right side's row of its key as it was at the
// left row's event time. The right side is a table that changes: each of its rows replaces the one
// before it of its key, from its event time on; one that is deleted is none from then on.
//
// Emission    a left row once the watermark has reached its time, in the order of times; nothing is
//             taken back. One that comes too late is joined with what is still known.
// State       left rows that are not due yet, and of each key the versions that due rows may still
//             ask for: the newest that the watermark has passed, and those after it.
//             docs/FORMATS.md, section "State".
// Errors      a left row for which the condition fails is rejected.
class TemporalJoinOperator final : public Operator {
 public:
  explicit TemporalJoinOperator(JoinDescription description);

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
  struct Due;

  void AddVersions(const RowBatch& rows, State& state) const;
  // The version that holds at `time`, as encoded; empty: there is none. Lives until Trim.
  std::string_view FindVersion(State& state, const std::string& key, int64_t time) const;
  Status EmitDue(Due& due, OperatorOutput& out) const;
  void ForgetVersions(int64_t watermark, State& state) const;

  const JoinDescription description_;
  const JoinSide sides_[2];
  const JoinPairs pairs_;
};

}  // namespace slipstream::sql
