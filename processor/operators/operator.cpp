#include "processor/operators/operator.h"

#include "common/check/check.h"

namespace slipstream::sql {

RowBatch Gather(const RowBatch& from, const std::vector<uint32_t>& rows) {
  RowBatch gathered{.batch = Gather(from.batch, rows), .origins = {}, .kinds = {}};
  const auto gather = [&rows](const auto& values, auto& to) {
    if (values.empty()) return;
    to.reserve(rows.size());
    for (uint32_t row : rows)
      to.push_back(values[row]);
  };
  gather(from.origins, gathered.origins);
  gather(from.kinds, gathered.kinds);
  return gathered;
}

bool Operator::SpillTo(OperatorState*, ScratchSpace&) const {
  return false;
}

Status Operator::Advance(int64_t, OperatorState*, OperatorOutput&) const {
  return {};
}

Status Operator::EndEpoch(OperatorState*, OperatorOutput&) const {
  return {};
}

bool Operator::Forget(OperatorState*, std::string_view) const {
  return false;
}

Status Operator::Tick(int64_t, OperatorState*, OperatorOutput&) const {
  return {};
}

void Operator::RestoreWatermark(OperatorState*, int64_t) const {}

void Operator::SaveChanges(OperatorState*, StateSink&) const {}

Status Operator::Restore(OperatorState*, std::string_view, std::string_view) const {
  return DataLoss("saved state of an operator that keeps none");
}

Result<RowBatch> TakeOutFailed(RowBatch rows, const RowErrors& errors, OperatorOutput& out) {
  if (errors.empty()) return rows;
  RETURN_IF_ERROR(out.Reject(rows, errors));
  std::vector<uint8_t> is_failed(rows.batch.rows, 0);
  for (const RowErrors::Entry& entry : errors.entries()) {
    SLIPSTREAM_CHECK(entry.row < rows.batch.rows, "row={} of {}", entry.row, rows.batch.rows);
    is_failed[entry.row] = 1;
  }
  std::vector<uint32_t> good;
  for (uint32_t row = 0; row < rows.batch.rows; ++row) {
    if (is_failed[row] == 0) good.push_back(row);
  }
  return Gather(rows, good);
}

}  // namespace slipstream::sql
