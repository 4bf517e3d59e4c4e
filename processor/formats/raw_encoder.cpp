#include "processor/formats/raw_encoder.h"

#include "processor/types/value.h"

namespace slipstream::sql {

bool RawEncoder::Encode(const Batch& batch, size_t row, std::string& to) const {
  const Column& column = batch.columns[position_];
  if (column.is_null(row)) return false;
  if (column.physical() == PhysicalKind::kString) {
    to.append(column.strings[row]);
  } else {
    to += ToText(column.ValueAt(row), column.type);
  }
  return true;
}

}  // namespace slipstream::sql
