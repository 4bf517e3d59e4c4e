#include "processor/operators/key_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "processor/types/decimal.h"
#include "processor/types/integer_range.h"

namespace slipstream::sql {
namespace {

constexpr char kNullMark = 0;
constexpr char kValueMark = 1;
// A zero byte of a text is followed by kZeroInText; its end is a zero byte and kTextEnd.
constexpr char kTextEnd = 0;
constexpr char kZeroInText = 1;
constexpr char kEntriesEnd = 0;
constexpr char kEntryMark = 1;

void AppendBigEndian(std::string& to, uint64_t value) {
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  to.append(bytes, sizeof(bytes));
}

bool TakeBigEndian(std::string_view& from, uint64_t& value) {
  if (from.size() < 8) return false;
  value = 0;
  for (size_t i = 0; i < 8; ++i)
    value = (value << 8) | static_cast<uint8_t>(from[i]);
  from.remove_prefix(8);
  return true;
}

constexpr uint64_t kSignBit = uint64_t{1} << 63;

void AppendText(std::string& to, std::string_view text) {
  while (true) {
    const size_t zero = text.find('\0');
    to.append(text.substr(0, zero));
    to.push_back('\0');
    if (zero == std::string_view::npos) break;
    to.push_back(kZeroInText);
    text.remove_prefix(zero + 1);
  }
  to.push_back(kTextEnd);
}

bool TakeText(std::string_view& from, std::string& text) {
  while (true) {
    const size_t zero = from.find('\0');
    if (zero == std::string_view::npos || zero + 1 >= from.size()) return false;
    text.append(from.substr(0, zero));
    const char mark = from[zero + 1];
    from.remove_prefix(zero + 2);
    if (mark == kTextEnd) return true;
    if (mark != kZeroInText) return false;
    text.push_back('\0');
  }
}

double FromSortableBits(int64_t bits) {
  return std::bit_cast<double>(bits < 0 ? bits ^ INT64_MAX : bits);
}

}  // namespace

int64_t SortableBits(double value) {
  if (value != value) value = std::numeric_limits<double>::quiet_NaN();
  if (value == 0) value = 0;
  const auto bits = std::bit_cast<int64_t>(value);
  return bits < 0 ? bits ^ INT64_MAX : bits;
}

void AppendSortable(std::string& to, int64_t value) {
  AppendBigEndian(to, static_cast<uint64_t>(value) ^ kSignBit);
}

bool TakeSortable(std::string_view& from, int64_t& value) {
  uint64_t bits = 0;
  if (!TakeBigEndian(from, bits)) return false;
  value = static_cast<int64_t>(bits ^ kSignBit);
  return true;
}

namespace {

void AppendMarked(std::string& to, const Column& column, size_t row);

// A ROW is its fields. The entries of ARRAY and MAP, each behind kEntryMark, end with kEntriesEnd;
// those of a MAP are sorted, since their order means nothing.
void AppendNested(std::string& to, const Column& column, size_t row) {
  if (column.type.kind == TypeKind::kRow) {
    for (const Column& field : column.children)
      AppendMarked(to, field, row);
    return;
  }
  std::vector<std::string> entries;
  for (uint32_t entry = column.offsets[row]; entry < column.offsets[row + 1]; ++entry) {
    std::string& bytes = entries.emplace_back(1, kEntryMark);
    for (const Column& part : column.children)
      AppendMarked(bytes, part, entry);
  }
  if (column.type.kind == TypeKind::kMap) std::sort(entries.begin(), entries.end());
  for (const std::string& entry : entries)
    to.append(entry);
  to.push_back(kEntriesEnd);
}

// Of a row that is not NULL there.
void AppendValue(std::string& to, const Column& column, size_t row) {
  switch (column.physical()) {
    case PhysicalKind::kBool:
      to.push_back(static_cast<char>(column.bools[row]));
      break;
    case PhysicalKind::kInt64:
      AppendSortable(to, column.ints[row]);
      break;
    case PhysicalKind::kDouble:
      AppendSortable(to, SortableBits(column.doubles[row]));
      break;
    case PhysicalKind::kInt128: {
      const auto bits = static_cast<UInt128>(column.decimals[row]);
      AppendBigEndian(to, static_cast<uint64_t>(bits >> 64) ^ kSignBit);
      AppendBigEndian(to, static_cast<uint64_t>(bits));
      break;
    }
    case PhysicalKind::kString:
      AppendText(to, column.strings[row]);
      break;
    case PhysicalKind::kNested:
      AppendNested(to, column, row);
      break;
  }
}

void AppendMarked(std::string& to, const Column& column, size_t row) {
  const bool is_null = column.is_null(row);
  to.push_back(is_null ? kNullMark : kValueMark);
  if (!is_null) AppendValue(to, column, row);
}

std::vector<DataType> TypesOf(const Schema& schema, const std::vector<size_t>& columns) {
  std::vector<DataType> types;
  types.reserve(columns.size());
  for (size_t column : columns)
    types.push_back(schema[column].type);
  return types;
}

}  // namespace

void KeyCodec::Encode(const std::vector<const Column*>& columns,
                      size_t row,
                      std::string& to) const {
  for (const Column* column : columns)
    AppendMarked(to, *column, row);
}

RowKeyCodec::RowKeyCodec(const Schema& schema, std::vector<size_t> columns)
    : columns_(std::move(columns)), codec_(TypesOf(schema, columns_)) {}

void RowKeyCodec::Encode(const std::vector<Column>& columns, size_t row, std::string& to) const {
  for (size_t column : columns_)
    AppendMarked(to, columns[column], row);
}

void SortKeyCodec::Encode(const std::vector<Column>& columns, size_t row, std::string& to) const {
  for (const SortKey& key : keys_) {
    const Column& column = columns[key.column];
    if (column.is_null(row)) {
      to.push_back(static_cast<char>(key.nulls_first ? 0 : 2));
      continue;
    }
    to.push_back(1);
    const size_t first = to.size();
    to.push_back(kValueMark);
    AppendValue(to, column, row);
    if (!key.descending) continue;
    for (size_t i = first; i < to.size(); ++i)
      to[i] = static_cast<char>(~to[i]);
  }
}

namespace {

bool DecodeValue(std::string_view& key, const DataType& type, Column& to, Arena& arena);

bool DecodeParts(std::string_view& key, Column& to, Arena& arena) {
  for (Column& part : to.children) {
    if (!DecodeValue(key, part.type, part, arena)) return false;
  }
  return true;
}

bool DecodeNested(std::string_view& key, Column& to, Arena& arena) {
  if (to.has_nulls()) to.valid.push_back(1);
  if (to.type.kind == TypeKind::kRow) return DecodeParts(key, to, arena);
  if (to.offsets.empty()) to.offsets.push_back(0);
  uint32_t end = to.offsets.back();
  while (!key.empty()) {
    const char mark = key.front();
    key.remove_prefix(1);
    if (mark == kEntriesEnd) {
      to.offsets.push_back(end);
      return true;
    }
    if (mark != kEntryMark || !DecodeParts(key, to, arena)) return false;
    ++end;
  }
  return false;
}

bool DecodeValue(std::string_view& key, const DataType& type, Column& to, Arena& arena) {
  if (key.empty()) return false;
  const char mark = key.front();
  key.remove_prefix(1);
  if (mark == kNullMark) {
    to.AppendNull();
    return true;
  }
  if (mark != kValueMark) return false;
  int64_t number = 0;
  switch (PhysicalKindOf(type.kind)) {
    case PhysicalKind::kBool: {
      if (key.empty()) return false;
      to.Append(key.front() != 0, arena);
      key.remove_prefix(1);
      return true;
    }
    case PhysicalKind::kInt64:
      if (!TakeSortable(key, number) || !FitsColumn(number, type.kind)) return false;
      to.Append(number, arena);
      return true;
    case PhysicalKind::kDouble:
      if (!TakeSortable(key, number)) return false;
      to.Append(FromSortableBits(number), arena);
      return true;
    case PhysicalKind::kInt128: {
      uint64_t low = 0;
      if (!TakeSortable(key, number) || !TakeBigEndian(key, low)) return false;
      const UInt128 bits = (static_cast<UInt128>(static_cast<uint64_t>(number)) << 64) | low;
      to.Append(static_cast<Int128>(bits), arena);
      return true;
    }
    case PhysicalKind::kString: {
      std::string text;
      if (!TakeText(key, text)) return false;
      to.Append(std::move(text), arena);
      return true;
    }
    case PhysicalKind::kNested:
      return DecodeNested(key, to, arena);
  }
  return false;
}

}  // namespace

Status KeyCodec::Decode(std::string_view key,
                        std::vector<Column>& columns,
                        size_t first,
                        Arena& arena) const {
  for (size_t i = 0; i < types_.size(); ++i) {
    if (!DecodeValue(key, types_[i], columns[first + i], arena)) {
      return DataLoss("saved state is damaged: group key");
    }
  }
  return key.empty() ? Status() : DataLoss("saved state is damaged: group key is too long");
}

}  // namespace slipstream::sql
