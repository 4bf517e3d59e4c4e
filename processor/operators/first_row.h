#pragma once

#include <memory>
#include <vector>

#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"
#include "processor/operators/row_codec.h"

namespace slipstream::sql {

// FirstRowOperator: the first row of each partition by event time, once the watermark has reached
// it and it cannot change any more; of rows with the same time the one that came first. A row that
// is not after the watermark when it comes is dropped and counted. Rows are given in the order of
// their times, then of their partitions.
//
// State       the row of each partition, or that it was given, for ever: one saved key each.
//             Format: docs/FORMATS.md, section "State".
class FirstRowOperator final : public Operator {
 public:
  struct Description {
    std::vector<size_t> partition_columns;
    size_t time_column = 0;
    bool has_rank = false;  // a last column of the output, BIGINT: 1
    Schema input;
    Schema output;
  };
  explicit FirstRowOperator(Description description);

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

  const Description description_;
  const RowKeyCodec codec_;
  const RowCodec row_codec_;
};

}  // namespace slipstream::sql
