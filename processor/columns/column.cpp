#include "processor/columns/column.h"

#include <cstring>

#include "common/check/check.h"

namespace slipstream::sql {

char* Arena::Allocate(size_t size) {
  bytes_ += size;
  if (size > kChunkBytes / 4) {
    return large_.emplace_back(std::make_unique_for_overwrite<char[]>(size)).get();
  }
  if (chunks_.empty() || chunk_used_ + size > kChunkBytes) {
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunkBytes));
    chunk_used_ = 0;
  }
  char* place = chunks_.back().get() + chunk_used_;
  chunk_used_ += size;
  return place;
}

std::string_view Arena::Copy(std::string_view text) {
  if (text.empty()) return {};
  char* place = Allocate(text.size());
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

void Arena::Clear() {
  large_.clear();
  if (!chunks_.empty()) {
    chunks_.resize(1);
    chunk_used_ = 0;
  }
  bytes_ = 0;
}

Column::Column(DataType column_type) : type(std::move(column_type)) {
  if (physical() != PhysicalKind::kNested || !type.children) return;
  for (const Field& field : *type.children)
    children.emplace_back(field.type);
}

size_t Column::size() const {
  switch (physical()) {
    case PhysicalKind::kBool:
      return bools.size();
    case PhysicalKind::kInt64:
      return ints.size();
    case PhysicalKind::kDouble:
      return doubles.size();
    case PhysicalKind::kInt128:
      return decimals.size();
    case PhysicalKind::kString:
      return strings.size();
    case PhysicalKind::kNested:
      break;
  }
  if (type.kind == TypeKind::kRow) return children.empty() ? 0 : children[0].size();
  return offsets.empty() ? 0 : offsets.size() - 1;
}

uint64_t ValueBytes(const Column& column) {
  uint64_t bytes = column.bools.size() + sizeof(int64_t) * column.ints.size() +
                   sizeof(double) * column.doubles.size() +
                   sizeof(Int128) * column.decimals.size() +
                   sizeof(uint32_t) * column.offsets.size();
  for (const std::string_view text : column.strings)
    bytes += text.size();
  for (const Column& child : column.children)
    bytes += ValueBytes(child);
  return bytes;
}

void Column::Reserve(size_t rows) {
  switch (physical()) {
    case PhysicalKind::kBool:
      bools.reserve(rows);
      break;
    case PhysicalKind::kInt64:
      ints.reserve(rows);
      break;
    case PhysicalKind::kDouble:
      doubles.reserve(rows);
      break;
    case PhysicalKind::kInt128:
      decimals.reserve(rows);
      break;
    case PhysicalKind::kString:
      strings.reserve(rows);
      break;
    case PhysicalKind::kNested:
      break;
  }
}

void Column::Resize(size_t rows) {
  if (!valid.empty()) valid.resize(rows, 1);
  switch (physical()) {
    case PhysicalKind::kBool:
      bools.resize(rows);
      break;
    case PhysicalKind::kInt64:
      ints.resize(rows);
      break;
    case PhysicalKind::kDouble:
      doubles.resize(rows);
      break;
    case PhysicalKind::kInt128:
      decimals.resize(rows);
      break;
    case PhysicalKind::kString:
      strings.resize(rows);
      break;
    case PhysicalKind::kNested:
      if (type.kind == TypeKind::kRow) {
        for (Column& child : children)
          child.Resize(rows);
      } else {
        offsets.resize(rows + 1, offsets.empty() ? 0 : offsets.back());
      }
      break;
  }
}

void Column::Clear() {
  valid.clear();
  bools.clear();
  ints.clear();
  doubles.clear();
  decimals.clear();
  strings.clear();
  offsets.clear();
  for (Column& child : children)
    child.Clear();
}

void Column::SetNull(size_t row) {
  if (valid.empty()) valid.assign(size(), 1);
  valid[row] = 0;
}

void Column::AppendNull() {
  size_t row = size();
  Resize(row + 1);
  SetNull(row);
}

void Column::Append(const Value& value, Arena& arena) {
  if (IsNull(value)) {
    AppendNull();
    return;
  }
  if (!valid.empty()) valid.push_back(1);
  switch (physical()) {
    case PhysicalKind::kBool:
      bools.push_back(std::get<bool>(value) ? 1 : 0);
      break;
    case PhysicalKind::kInt64:
      ints.push_back(std::get<int64_t>(value));
      break;
    case PhysicalKind::kDouble:
      doubles.push_back(std::get<double>(value));
      break;
    case PhysicalKind::kInt128:
      decimals.push_back(std::get<Int128>(value));
      break;
    case PhysicalKind::kString:
      strings.push_back(arena.Copy(std::get<std::string>(value)));
      break;
    case PhysicalKind::kNested:
      SLIPSTREAM_CHECK(false, "a nested type has no Value");
      break;
  }
}

void Column::AppendFrom(const Column& from, size_t row) {
  if (from.is_null(row)) {
    AppendNull();
    return;
  }
  if (!valid.empty()) valid.push_back(1);
  switch (physical()) {
    case PhysicalKind::kBool:
      bools.push_back(from.bools[row]);
      break;
    case PhysicalKind::kInt64:
      ints.push_back(from.ints[row]);
      break;
    case PhysicalKind::kDouble:
      doubles.push_back(from.doubles[row]);
      break;
    case PhysicalKind::kInt128:
      decimals.push_back(from.decimals[row]);
      break;
    case PhysicalKind::kString:
      strings.push_back(from.strings[row]);
      break;
    case PhysicalKind::kNested:
      if (type.kind == TypeKind::kRow) {
        for (size_t i = 0; i < children.size(); ++i)
          children[i].AppendFrom(from.children[i], row);
      } else {
        if (offsets.empty()) offsets.push_back(0);
        for (uint32_t entry = from.offsets[row]; entry < from.offsets[row + 1]; ++entry) {
          for (size_t i = 0; i < children.size(); ++i) {
            children[i].AppendFrom(from.children[i], entry);
          }
        }
        offsets.push_back(static_cast<uint32_t>(children[0].size()));
      }
      break;
  }
}

Value Column::ValueAt(size_t row) const {
  if (is_null(row)) return std::monostate{};
  switch (physical()) {
    case PhysicalKind::kBool:
      return bools[row] != 0;
    case PhysicalKind::kInt64:
      return ints[row];
    case PhysicalKind::kDouble:
      return doubles[row];
    case PhysicalKind::kInt128:
      return decimals[row];
    case PhysicalKind::kString:
      return std::string(strings[row]);
    case PhysicalKind::kNested:
      break;
  }
  SLIPSTREAM_CHECK(false, "a nested type has no Value");
  return std::monostate{};
}

namespace {

template <class T>
void GatherInto(const std::vector<T>& from, const std::vector<uint32_t>& rows, std::vector<T>& to) {
  to.resize(rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    to[i] = from[rows[i]];
}

Column GatherNested(const Column& column, const std::vector<uint32_t>& rows) {
  Column gathered;
  gathered.type = column.type;
  if (column.has_nulls()) GatherInto(column.valid, rows, gathered.valid);
  std::vector<uint32_t> entries;
  const bool is_row = column.type.kind == TypeKind::kRow;
  if (!is_row) {
    gathered.offsets.reserve(rows.size() + 1);
    gathered.offsets.push_back(0);
    for (const uint32_t row : rows) {
      // What stands at a NULL is not looked at.
      if (!column.is_null(row)) {
        for (uint32_t entry = column.offsets[row]; entry < column.offsets[row + 1]; ++entry)
          entries.push_back(entry);
      }
      gathered.offsets.push_back(static_cast<uint32_t>(entries.size()));
    }
  }
  gathered.children.reserve(column.children.size());
  for (const Column& child : column.children)
    gathered.children.push_back(Gather(child, is_row ? rows : entries));
  return gathered;
}

}  // namespace

Column Gather(const Column& column, const std::vector<uint32_t>& rows) {
  if (column.physical() == PhysicalKind::kNested) return GatherNested(column, rows);
  Column gathered(column.type);
  if (column.has_nulls()) GatherInto(column.valid, rows, gathered.valid);
  switch (column.physical()) {
    case PhysicalKind::kBool:
      GatherInto(column.bools, rows, gathered.bools);
      break;
    case PhysicalKind::kInt64:
      GatherInto(column.ints, rows, gathered.ints);
      break;
    case PhysicalKind::kDouble:
      GatherInto(column.doubles, rows, gathered.doubles);
      break;
    case PhysicalKind::kInt128:
      GatherInto(column.decimals, rows, gathered.decimals);
      break;
    case PhysicalKind::kString:
      GatherInto(column.strings, rows, gathered.strings);
      break;
    case PhysicalKind::kNested:
      break;
  }
  return gathered;
}

}  // namespace slipstream::sql
