#pragma once

#include <cstdint>
#include <vector>

#include "processor/columns/batch.h"
#include "processor/columns/row_kind.h"

namespace slipstream::sql {

// RowBatch: rows on their way through operators.
struct RowBatch {
  Batch batch;
  // Of each row: the number of the record it was made of, in the current call of the task. Empty:
  // the rows were made of many records (results of an aggregation).
  std::vector<uint32_t> origins;
  // Of each row. Empty: all are new, as they always are but in update streams.
  std::vector<RowKind> kinds;
  size_t input = 0;  // of the operator they are given to: which of its inputs they come by

  RowKind kind(size_t row) const { return kinds.empty() ? RowKind::kInsert : kinds[row]; }
};

// Only the rows in `rows`, in that order.
RowBatch Gather(const RowBatch& from, const std::vector<uint32_t>& rows);

}  // namespace slipstream::sql
