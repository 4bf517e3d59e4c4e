#include "processor/expr/nested_cells.h"

#include <cmath>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace slipstream::sql {
namespace {

bool IsSameNested(const Column& a, size_t row_a, const Column& b, size_t row_b) {
  if (a.type.kind == TypeKind::kRow) {
    for (size_t i = 0; i < a.children.size(); ++i) {
      if (!IsSameCell(a.children[i], row_a, b.children[i], row_b)) return false;
    }
    return true;
  }
  const uint32_t begin_a = a.offsets[row_a];
  const uint32_t begin_b = b.offsets[row_b];
  const uint32_t entries = a.offsets[row_a + 1] - begin_a;
  if (entries != b.offsets[row_b + 1] - begin_b) return false;
  if (a.type.kind == TypeKind::kArray) {
    for (uint32_t i = 0; i < entries; ++i) {
      if (!IsSameCell(a.children[0], begin_a + i, b.children[0], begin_b + i)) return false;
    }
    return true;
  }
  for (uint32_t i = 0; i < entries; ++i) {  // a MAP's entries have no order
    bool is_there = false;
    for (uint32_t j = 0; j < entries && !is_there; ++j) {
      is_there = IsSameCell(a.children[0], begin_a + i, b.children[0], begin_b + j) &&
                 IsSameCell(a.children[1], begin_a + i, b.children[1], begin_b + j);
    }
    if (!is_there) return false;
  }
  return true;
}

uint64_t Mixed(uint64_t bits) {
  bits = (bits ^ (bits >> 33)) * 0xFF51AFD7ED558CCD;
  return bits ^ (bits >> 33);
}

uint64_t HashNested(const Column& column, size_t row) {
  uint64_t hash = 0;
  if (column.type.kind == TypeKind::kRow) {
    for (const Column& field : column.children)
      hash = Mixed(hash + HashCell(field, row) + 1);
    return hash;
  }
  const bool is_map = column.type.kind == TypeKind::kMap;
  for (uint32_t entry = column.offsets[row]; entry < column.offsets[row + 1]; ++entry) {
    const uint64_t first = HashCell(column.children[0], entry);
    // The entries of a MAP have no order.
    hash = is_map ? hash + Mixed(first + Mixed(HashCell(column.children[1], entry) + 1))
                  : Mixed(hash + first + 1);
  }
  return hash;
}

template <class Value>
int Compare(const Value& a, const Value& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

}  // namespace

bool IsSameCell(const Column& a, size_t row_a, const Column& b, size_t row_b) {
  if (a.is_null(row_a) || b.is_null(row_b)) return a.is_null(row_a) == b.is_null(row_b);
  if (a.physical() == PhysicalKind::kNested) return IsSameNested(a, row_a, b, row_b);
  return CompareCells(a, row_a, b, row_b) == 0;
}

uint64_t HashCell(const Column& column, size_t row) {
  if (column.is_null(row)) return 0;
  switch (column.physical()) {
    case PhysicalKind::kBool:
      return Mixed(column.bools[row] != 0 ? 2 : 1);
    case PhysicalKind::kInt64:
      return Mixed(static_cast<uint64_t>(column.ints[row]));
    case PhysicalKind::kDouble: {
      const double value = column.doubles[row];
      if (std::isnan(value)) return 1;
      return std::hash<double>()(value == 0 ? 0.0 : value);  // -0.0 is 0.0
    }
    case PhysicalKind::kInt128: {
      const Int128 value = column.decimals[row];
      return Mixed(static_cast<uint64_t>(value) ^ Mixed(static_cast<uint64_t>(value >> 64)));
    }
    case PhysicalKind::kString:
      return std::hash<std::string_view>()(column.strings[row]);
    case PhysicalKind::kNested:
      break;
  }
  return HashNested(column, row);
}

bool HasOrder(const DataType& type) {
  return PhysicalKindOf(type.kind) != PhysicalKind::kNested;
}

int CompareCells(const Column& a, size_t row_a, const Column& b, size_t row_b) {
  switch (a.physical()) {
    case PhysicalKind::kBool:
      return Compare(a.bools[row_a], b.bools[row_b]);
    case PhysicalKind::kInt64:
      return Compare(a.ints[row_a], b.ints[row_b]);
    case PhysicalKind::kDouble: {
      const bool is_nan_a = std::isnan(a.doubles[row_a]);
      const bool is_nan_b = std::isnan(b.doubles[row_b]);
      if (is_nan_a || is_nan_b) return Compare(is_nan_a, is_nan_b);
      return Compare(a.doubles[row_a], b.doubles[row_b]);
    }
    case PhysicalKind::kInt128:
      return Compare(a.decimals[row_a], b.decimals[row_b]);
    case PhysicalKind::kString:
      return Compare(a.strings[row_a], b.strings[row_b]);
    case PhysicalKind::kNested:
      break;
  }
  return 0;
}

void AppendCellText(const Column& column, size_t row, std::string& to) {
  if (column.is_null(row)) {
    to += "NULL";
    return;
  }
  if (column.physical() != PhysicalKind::kNested) {
    to += ToText(column.ValueAt(row), column.type);
    return;
  }
  if (column.type.kind == TypeKind::kRow) {
    to.push_back('(');
    for (size_t i = 0; i < column.children.size(); ++i) {
      if (i > 0) to += ", ";
      AppendCellText(column.children[i], row, to);
    }
    to.push_back(')');
    return;
  }
  const bool is_map = column.type.kind == TypeKind::kMap;
  to.push_back(is_map ? '{' : '[');
  for (uint32_t entry = column.offsets[row]; entry < column.offsets[row + 1]; ++entry) {
    if (entry > column.offsets[row]) to += ", ";
    AppendCellText(column.children[0], entry, to);
    if (!is_map) continue;
    to.push_back('=');
    AppendCellText(column.children[1], entry, to);
  }
  to.push_back(is_map ? '}' : ']');
}

DataType ArrayOf(DataType element, bool is_nullable) {
  DataType type{.kind = TypeKind::kArray, .nullable = is_nullable};
  type.children = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"element", std::move(element)}});
  return type;
}

DataType MapOf(DataType key, DataType value, bool is_nullable) {
  DataType type{.kind = TypeKind::kMap, .nullable = is_nullable};
  type.children = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"key", std::move(key)}, {"value", std::move(value)}});
  return type;
}

const DataType& ElementType(const DataType& array) {
  return array.children->front().type;
}

}  // namespace slipstream::sql
