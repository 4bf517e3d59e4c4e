#include "processor/operators/local_clock.h"

#include <utility>

namespace slipstream::sql {

LocalClockOperator::LocalClockOperator(std::unique_ptr<const Operator> inner, TimeZonePtr zone)
    : inner_(std::move(inner)), zone_(std::move(zone)) {}

Status LocalClockOperator::Process(RowBatch rows,
                                   int64_t watermark,
                                   OperatorState* state,
                                   OperatorOutput& out) const {
  return inner_->Process(std::move(rows), zone_->Passed(watermark), state, out);
}

Status LocalClockOperator::Advance(int64_t watermark,
                                   OperatorState* state,
                                   OperatorOutput& out) const {
  return inner_->Advance(zone_->Passed(watermark), state, out);
}

int64_t LocalClockOperator::NextFiring(const OperatorState* state) const {
  return zone_->LastInstant(inner_->NextFiring(state));
}

void LocalClockOperator::RestoreWatermark(OperatorState* state, int64_t watermark) const {
  inner_->RestoreWatermark(state, zone_->Passed(watermark));
}

}  // namespace slipstream::sql
