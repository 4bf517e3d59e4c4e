#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "processor/operators/join_rows.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// IntervalJoinOperator: joins rows whose event times differ by so much and no more (JoinSpec), so
// that the watermark says when a row can find no further partner. Nothing it gives is taken back.
//
// Emission    pairs as soon as both rows are there; a row without a partner, if it is to be given,
//             when it can find none any more. The watermark behind it is held back by as much as
//             the times of a pair may lie behind the newest.
// State       the rows that may still find a partner. docs/FORMATS.md, section "State".
// Errors      a row for which the condition fails with any row of the other side is rejected, and
//             joined with none.
class IntervalJoinOperator final : public Operator {
 public:
  explicit IntervalJoinOperator(JoinDescription description);

  std::unique_ptr<OperatorState> MakeState() const override;
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;
  int64_t NextFiring(const OperatorState* state) const override;
  int64_t WatermarkBehind(int64_t watermark) const override;
  bool is_stateful() const override { return true; }
  void SaveChanges(OperatorState* state, StateSink& sink) const override;
  Status Restore(OperatorState* state, std::string_view key, std::string_view value) const override;

 private:
  struct State;
  struct Chunk;

  Status Work(const RowBatch& rows,
              int64_t watermark,
              const Chunk& chunk,
              State& state,
              OperatorOutput& out) const;
  // For partners that are still to come. `key`: side and join key.
  void KeepRow(
      const RowBatch& rows, uint32_t row, std::string key, bool has_partner, State& state) const;
  // Takes out what can find no partner any more; gives it alone if it found none and is to be
  // given.
  Status TakeOut(size_t side, int64_t watermark, State& state, OperatorOutput& out) const;
  Status EmitAlone(size_t side, const Batch& alone, OperatorOutput& out) const;
  size_t TimeColumn(size_t side) const;
  // How much later than a row of that side its latest partner may be.
  int64_t Reach(size_t side) const;
  bool Keeps(size_t side) const;

  const JoinDescription description_;
  const JoinSide sides_[2];
  const JoinPairs pairs_;
};

}  // namespace slipstream::sql
