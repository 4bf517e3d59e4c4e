#pragma once

#include <cstddef>
#include <string>

#include "processor/columns/batch.h"

namespace slipstream::sql {

// RowEncoder: rows as the records of one format.
// Threads: immutable.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;
  // Appends one row's record; no line end. False: the row has none (it is NULL as a whole).
  virtual bool Encode(const Batch& batch, size_t row, std::string& to) const = 0;
};

}  // namespace slipstream::sql
