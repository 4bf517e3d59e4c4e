#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "processor/columns/column.h"

namespace slipstream::sql {

// Batch: rows as columns of equal length.
//
// Ownership   owns its columns; keep_alive holds what their strings point into (arenas, input
//             buffers) and is shared between the batches that were derived from one another.
struct Batch {
  size_t rows = 0;
  std::vector<Column> columns;
  int64_t now_us = 0;  // when the rows are worked on: microseconds since 1970 UTC
  std::vector<std::shared_ptr<const void>> keep_alive;  // shared: by every batch derived from it

  // An arena for new strings, kept alive by this batch.
  Arena& NewArena();
};

// A batch with no rows and a column for each field.
Batch MakeBatch(const Schema& schema);

// What the values take, strings by their length and NULLs as zeros; not what is reserved for more.
uint64_t ValueBytes(const Batch& batch);

// Only the rows in `rows`, in that order.
Batch Gather(const Batch& batch, const std::vector<uint32_t>& rows);

}  // namespace slipstream::sql
