#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "processor/operators/row_batch.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// RowLines: rows that come one by one as lines of a table, for people. Since nobody knows the rows
// to come, a column is as wide as values of its type usually are; a longer one pushes its line to
// the right, nothing is cut off.
//
//   +----+----------------------+-------------+
//   | op | carrier              |     flights |
//   +----+----------------------+-------------+
//   | +I | AA                   |           1 |
//
// Threads  immutable: any.
class RowLines {
 public:
  // `has_kinds`: with the column "op", which says how the row changes the result.
  RowLines(Schema schema, bool has_kinds);

  std::string Rule() const;                                  // with its line end
  std::string Header() const;                                // a rule, the names, a rule
  std::string Line(const RowBatch& rows, size_t row) const;  // without a line end

 private:
  void AppendCell(size_t column, const std::string& text, std::string& line) const;

  const Schema schema_;
  const bool has_kinds_;
  std::vector<size_t> widths_;  // in characters
};

}  // namespace slipstream::sql
