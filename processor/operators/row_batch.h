#pragma once

#include <cstdint>
#include <vector>

#include "processor/columns/batch.h"

namespace slipstream::sql {

// RowBatch: rows on their way through operators.
struct RowBatch {
  Batch batch;
  // Of each row: the number of the record it was made of, in the current call of the task. Empty:
  // the rows were made of many records (results of an aggregation).
  std::vector<uint32_t> origins;
};

// Only the rows in `rows`, in that order.
RowBatch Gather(const RowBatch& from, const std::vector<uint32_t>& rows);

}  // namespace slipstream::sql
