#pragma once

#include <memory>
#include <string>
#include <vector>

#include "processor/operators/join_rows.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// RegularJoinOperator: joins two inputs of which any row may still find a partner: keeps the rows
// of both, by key. Both inputs may be streams of updates.
//
// Emission    is_final: pairs as soon as both rows are there, rows without a partner when the input
//             has ended. Otherwise a row without a partner is given at once, and taken back when
//             one comes; given again when the last one goes.
// State       all rows of both sides, but for those with NULL in a key; with a time to live those
//             that were written within it, in processing time. docs/FORMATS.md, section "State".
// Errors      a row for which the condition fails with any row of the other side is rejected, and
//             joined with none.
class RegularJoinOperator final : public Operator {
 public:
  explicit RegularJoinOperator(JoinDescription description);

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
  struct Chunk;
  class Changes;

  Status Work(const RowBatch& rows, const Chunk& chunk, State& state, OperatorOutput& out) const;
  Status EmitUnmatched(size_t side, State& state, OperatorOutput& out) const;
  // What becomes of one row that has these partners: numbers of the chunk's candidates.
  void Join(const RowBatch& rows,
            const Chunk& chunk,
            size_t incoming,
            const std::vector<uint32_t>& partners,
            State& state,
            Changes& changes) const;
  void SemiJoin(const RowBatch& rows,
                const Chunk& chunk,
                size_t incoming,
                const std::vector<uint32_t>& partners,
                State& state,
                Changes& changes) const;
  // Whether rows of the side that have no partner are given, or those that have one.
  bool CountsMatches(size_t side) const;

  const JoinDescription description_;
  const JoinSide sides_[2];
  const JoinPairs pairs_;
};

}  // namespace slipstream::sql
