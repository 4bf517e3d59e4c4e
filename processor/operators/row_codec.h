#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/columns/column.h"

namespace slipstream::sql {

// RowCodec: whole rows, nested values included, as bytes; equal rows give equal bytes, which do not
// sort (key_codec.h has those that do). Format: docs/FORMATS.md, section "State".
// Threads: immutable.
class RowCodec {
 public:
  explicit RowCodec(const Schema& schema);

  // Appends row `row` of the columns, which have the schema's types.
  void Encode(const std::vector<Column>& columns, size_t row, std::string& to) const;
  // Appends the row to columns[0] and those behind it, strings into `arena`. kDataLoss: damaged.
  Status Decode(std::string_view row, std::vector<Column>& columns, Arena& arena) const;

 private:
  size_t width_;
};

}  // namespace slipstream::sql
