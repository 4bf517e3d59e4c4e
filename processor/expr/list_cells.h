#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "processor/expr/nested_cells.h"
#include "processor/expr/scalar_function.h"

namespace slipstream::sql {

// The values of ARRAYs and MAPs, as functions over them read and write them.

// Entries: the elements of one row of an ARRAY or MAP argument: rows `begin` to `end` of the
// column's children.
struct Entries {
  const Column* column = nullptr;
  uint32_t begin = 0;
  uint32_t end = 0;

  Entries(const Operand& arg, size_t row)
      : column(arg.column),
        begin(arg.column->offsets[arg.index(row)]),
        end(arg.column->offsets[arg.index(row) + 1]) {}

  const Column& values() const { return column->children.front(); }
  uint32_t size() const { return end - begin; }
};

// Where, from `begin` to `end` of `values`, the same value stands; `end`: nowhere.
inline uint32_t FindCell(
    const Column& values, uint32_t begin, uint32_t end, const Column& wanted, size_t row) {
  while (begin < end && !IsSameCell(values, begin, wanted, row))
    ++begin;
  return begin;
}

// CellIndex: some successive values of a column, to find a value among them: few are compared one
// by one, more are found by their hash. Ownership  borrows the column.
class CellIndex {
 public:
  CellIndex(const Column& values, uint32_t begin) : values_(&values), begin_(begin), end_(begin) {}

  // The next value of the column.
  void Add() {
    ++end_;
    if (end_ - begin_ <= kComparedMax) return;
    for (uint32_t row = by_hash_.empty() ? begin_ : end_ - 1; row < end_; ++row)
      by_hash_.emplace(HashCell(*values_, row), row);
  }
  bool Holds(const Column& wanted, size_t row) const {
    if (by_hash_.empty()) return FindCell(*values_, begin_, end_, wanted, row) < end_;
    const auto [first, last] = by_hash_.equal_range(HashCell(wanted, row));
    return std::any_of(first, last, [&](const auto& entry) {
      return IsSameCell(*values_, entry.second, wanted, row);
    });
  }

 private:
  static constexpr uint32_t kComparedMax = 16;

  const Column* values_;
  uint32_t begin_;
  uint32_t end_;
  std::unordered_multimap<uint64_t, uint32_t> by_hash_;  // empty: few
};

// ListResult: the rows of an ARRAY or MAP result, written one by one.
class ListResult {
 public:
  explicit ListResult(Column& out) : out_(out), row_(out.children.front(), 0) {
    out.offsets.assign(1, 0);
    for (Column& child : out.children)
      child.Clear();
  }

  Column& child(size_t i = 0) { return out_.children[i]; }
  void Add(const Column& values, size_t row) { child().AppendFrom(values, row); }
  // Unless the row has the same element already; of one row all elements are added so, or none.
  void AddOnce(const Column& values, size_t row) {
    if (row_.Holds(values, row)) return;
    Add(values, row);
    row_.Add();
  }
  void EndRow() {
    out_.offsets.push_back(static_cast<uint32_t>(child().size()));
    row_ = CellIndex(child(), out_.offsets.back());
  }

 private:
  Column& out_;
  CellIndex row_;
};

// Calls `fill(row, result)` for the rows that are not NULL.
template <class Fill>
void FillLists(const KernelCall& call, Column& out, Fill fill) {
  ListResult result(out);
  for (size_t row = 0; row < call.rows; ++row) {
    const bool is_null = !out.valid.empty() && out.valid[row] == 0;
    if (!is_null) fill(row, result);
    result.EndRow();
  }
}

// Marks a row of a list that is still being written.
inline void SetListNull(Column& out, size_t rows, size_t row) {
  if (out.valid.empty()) out.valid.assign(rows, 1);
  out.valid[row] = 0;
}

}  // namespace slipstream::sql
