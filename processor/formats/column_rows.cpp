#include "processor/formats/column_rows.h"

#include <algorithm>
#include <cstdint>

namespace slipstream::sql {

bool HasEntries(const Column& column) {
  return column.type.kind == TypeKind::kArray || column.type.kind == TypeKind::kMap;
}

void MakeRoom(Column& column, size_t rows) {
  if (HasEntries(column)) {
    column.valid.resize(rows, 0);
    return;
  }
  for (Column& child : column.children)
    MakeRoom(child, rows);
  column.valid.resize(rows, 0);
  if (column.physical() != PhysicalKind::kNested) column.Resize(rows);
}

void ForgetRow(Column& column, size_t row) {
  column.valid[row] = 0;
  if (!HasEntries(column)) {
    for (Column& child : column.children)
      ForgetRow(child, row);
    return;
  }
  if (column.offsets.size() <= row + 1) return;
  column.offsets.resize(row + 1);
  for (Column& child : column.children) {
    for (size_t entry = child.valid.size(); entry > column.offsets.back(); --entry)
      ForgetRow(child, entry - 1);
    child.valid.resize(column.offsets.back());
  }
}

void FinishRows(Column& column, size_t rows) {
  column.valid.resize(rows);
  if (std::find(column.valid.begin(), column.valid.end(), uint8_t{0}) == column.valid.end()) {
    column.valid.clear();
  }
  if (HasEntries(column)) {
    if (column.offsets.empty()) column.offsets.push_back(0);
    column.offsets.resize(rows + 1, column.offsets.back());
    for (Column& child : column.children)
      FinishRows(child, column.offsets.back());
  } else if (column.physical() == PhysicalKind::kNested) {
    for (Column& child : column.children)
      FinishRows(child, rows);
  } else {
    column.Resize(rows);
  }
}

void BeginEntries(Column& column, size_t row) {
  if (column.offsets.empty()) column.offsets.push_back(0);
  column.offsets.resize(row + 1, column.offsets.back());
}

size_t AddEntry(Column& column) {
  const size_t entry = column.children[0].valid.size();
  for (Column& child : column.children)
    MakeRoom(child, entry + 1);
  return entry;
}

void EndEntries(Column& column) {
  column.offsets.push_back(static_cast<uint32_t>(column.children[0].valid.size()));
}

}  // namespace slipstream::sql
