#include "processor/operators/row_codec.h"

#include <cstring>

#include "processor/expr/state_bytes.h"
#include "processor/types/integer_range.h"

namespace slipstream::sql {
namespace {

void EncodeCell(const Column& column, size_t row, std::string& to) {
  if (column.is_null(row)) return PutByte(to, 0);
  PutByte(to, 1);
  switch (column.physical()) {
    case PhysicalKind::kBool:
      return PutByte(to, column.bools[row]);
    case PhysicalKind::kInt64:
      return PutInt64(to, column.ints[row]);
    case PhysicalKind::kDouble:
      return PutNumber(to, column.doubles[row]);
    case PhysicalKind::kInt128:
      return PutInt128(to, column.decimals[row]);
    case PhysicalKind::kString:
      return PutText(to, column.strings[row]);
    case PhysicalKind::kNested:
      break;
  }
  if (column.type.kind == TypeKind::kRow) {
    for (const Column& child : column.children)
      EncodeCell(child, row, to);
    return;
  }
  PutNumber(to, column.offsets[row + 1] - column.offsets[row]);
  for (uint32_t entry = column.offsets[row]; entry < column.offsets[row + 1]; ++entry) {
    for (const Column& child : column.children)
      EncodeCell(child, entry, to);
  }
}

bool DecodeCell(std::string_view& from, Column& to, Arena& arena);

template <class Number>
bool DecodeNumber(std::string_view& from, std::vector<Number>& to) {
  Number value{};
  if (!TakeNumber(from, value)) return false;
  to.push_back(value);
  return true;
}

bool DecodeNested(std::string_view& from, Column& to, Arena& arena) {
  if (to.type.kind == TypeKind::kRow) {
    for (Column& child : to.children) {
      if (!DecodeCell(from, child, arena)) return false;
    }
    return true;
  }
  uint32_t entries = 0;
  // Each takes a byte at least.
  if (!TakeNumber(from, entries) || entries > from.size()) return false;
  for (uint32_t i = 0; i < entries; ++i) {
    for (Column& child : to.children) {
      if (!DecodeCell(from, child, arena)) return false;
    }
  }
  if (to.offsets.empty()) to.offsets.push_back(0);
  to.offsets.push_back(to.offsets.back() + entries);
  return true;
}

bool DecodeCell(std::string_view& from, Column& to, Arena& arena) {
  uint8_t has_value = 0;
  if (!TakeByte(from, has_value)) return false;
  if (has_value == 0) {
    to.AppendNull();
    return true;
  }
  if (to.has_nulls()) to.valid.push_back(1);
  switch (to.physical()) {
    case PhysicalKind::kBool:
      return DecodeNumber(from, to.bools) && to.bools.back() <= 1;
    case PhysicalKind::kInt64:
      return DecodeNumber(from, to.ints) && FitsColumn(to.ints.back(), to.type.kind);
    case PhysicalKind::kDouble:
      return DecodeNumber(from, to.doubles);
    case PhysicalKind::kInt128:
      return DecodeNumber(from, to.decimals);
    case PhysicalKind::kString: {
      std::string_view text;
      if (!TakeText(from, text)) return false;
      to.strings.push_back(arena.Copy(text));
      return true;
    }
    case PhysicalKind::kNested:
      break;
  }
  return DecodeNested(from, to, arena);
}

}  // namespace

RowCodec::RowCodec(const Schema& schema) : width_(schema.size()) {}

void RowCodec::Encode(const std::vector<Column>& columns, size_t row, std::string& to) const {
  for (size_t i = 0; i < width_; ++i)
    EncodeCell(columns[i], row, to);
}

Status RowCodec::Decode(std::string_view row, std::vector<Column>& columns, Arena& arena) const {
  for (size_t i = 0; i < width_; ++i) {
    if (!DecodeCell(row, columns[i], arena)) return DamagedState("row");
  }
  return row.empty() ? Status() : DamagedState("bytes behind a row");
}

}  // namespace slipstream::sql
