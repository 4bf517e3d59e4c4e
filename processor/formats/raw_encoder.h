#pragma once

#include <cstddef>
#include <string>

#include "processor/formats/row_encoder.h"

namespace slipstream::sql {

// RawEncoder: 'format' = 'raw': the text or bytes of one column as they stand; of other types what
// CAST(… AS STRING) gives. A NULL has no record.
class RawEncoder final : public RowEncoder {
 public:
  explicit RawEncoder(size_t position) : position_(position) {}

  bool Encode(const Batch& batch, size_t row, std::string& to) const override;

 private:
  const size_t position_;  // of the column
};

}  // namespace slipstream::sql
