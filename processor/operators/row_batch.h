#pragma once

#include <cstdint>
#include <vector>

#include "processor/columns/batch.h"
#include "processor/columns/row_kind.h"

namespace slipstream::sql {

// RowPlaces: where the records of a task's call stand among all records of the job.
struct RowPlaces {
  uint32_t topic = 0;  // a hash of its name
  int32_t partition = 0;
  std::vector<int64_t> offsets;  // by number of the record
  std::vector<int64_t> times;    // likewise: sorts as its event time does
};

// RowBatch: rows on their way through operators.
struct RowBatch {
  Batch batch;
  // Of each row: the number of the record it was made of, in the current call of the task. Empty:
  // the rows were made of many records (results of an aggregation).
  std::vector<uint32_t> origins;
  // Of the records that `origins` number, for the call; null where nobody asks for it.
  const RowPlaces* places = nullptr;
  // Of each row. Empty: all are new, as they always are but in update streams.
  std::vector<RowKind> kinds;
  size_t input = 0;  // of the operator they are given to: which of its inputs they come by

  RowKind kind(size_t row) const { return kinds.empty() ? RowKind::kInsert : kinds[row]; }
};

// Only the rows in `rows`, in that order.
RowBatch Gather(const RowBatch& from, const std::vector<uint32_t>& rows);

}  // namespace slipstream::sql
