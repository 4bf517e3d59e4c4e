#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "processor/operators/operator.h"

namespace slipstream::sql {

// OnArrivalOperator: an operator of event time that runs by processing time: the time of a row is
// when it comes (its column of time then says so), and the clock takes the watermark's place.
//
// Time        that of the rows' batch, and of Tick. It never goes back, not over a restore either:
//             a clock that was set back is waited for. So no row is late.
// Watermark   that of the input means nothing here, but for the end of the input, where everything
//             is given.
// State       the inner operator's, and the last time. Format: docs/FORMATS.md, section "State".
class OnArrivalOperator final : public Operator {
 public:
  // kWhenDue: what windows and joins keep is given once the clock has passed it. kAtOnce: each
  // batch has a time of its own and is given on with it.
  enum class Emission : uint8_t { kWhenDue, kAtOnce };

  // `time_columns`: of each input, the column that `inner` takes for its event time.
  OnArrivalOperator(std::unique_ptr<const Operator> inner,
                    std::vector<size_t> time_columns,
                    Emission emission);

  std::unique_ptr<OperatorState> MakeState() const override;
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;
  int64_t NextTick(const OperatorState* state) const override;
  Status Tick(int64_t now_us, OperatorState* state, OperatorOutput& out) const override;
  bool Forget(OperatorState* state, std::string_view key) const override;
  bool is_stateful() const override { return true; }
  void SaveChanges(OperatorState* state, StateSink& sink) const override;
  Status Restore(OperatorState* state, std::string_view key, std::string_view value) const override;

 private:
  struct State;

  // The time that is used when the clock shows `now_us`.
  int64_t Raise(int64_t now_us, State& state) const;

  const std::unique_ptr<const Operator> inner_;
  const std::vector<size_t> time_columns_;
  const Emission emission_;
  const int64_t lag_us_;  // of the inner watermark behind the time
};

}  // namespace slipstream::sql
