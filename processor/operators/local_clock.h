#pragma once

#include <memory>

#include "processor/operators/operator.h"
#include "processor/types/time_zone.h"

namespace slipstream::sql {

// LocalClockOperator: another operator whose windows are those of clocks in a zone: its watermarks
// are the local times that clocks have left behind for good. A window that clocks go through twice,
// since they are put back within, ends after the second time.
//
// State       the other's.
class LocalClockOperator final : public Operator {
 public:
  LocalClockOperator(std::unique_ptr<const Operator> inner, TimeZonePtr zone);

  std::unique_ptr<OperatorState> MakeState() const override { return inner_->MakeState(); }
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override {
    return inner_->SpillTo(state, space);
  }
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  Status Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const override;
  Status EndEpoch(OperatorState* state, OperatorOutput& out) const override {
    return inner_->EndEpoch(state, out);
  }
  int64_t NextFiring(const OperatorState* state) const override;
  int64_t NextTick(const OperatorState* state) const override { return inner_->NextTick(state); }
  Status Tick(int64_t now_us, OperatorState* state, OperatorOutput& out) const override {
    return inner_->Tick(now_us, state, out);
  }
  bool is_stateful() const override { return inner_->is_stateful(); }
  void SaveChanges(OperatorState* state, StateSink& sink) const override {
    inner_->SaveChanges(state, sink);
  }
  Status Restore(OperatorState* state,
                 std::string_view key,
                 std::string_view value) const override {
    return inner_->Restore(state, key, value);
  }
  void RestoreWatermark(OperatorState* state, int64_t watermark) const override;

 private:
  const std::unique_ptr<const Operator> inner_;
  const TimeZonePtr zone_;  // shared with the plan
};

}  // namespace slipstream::sql
