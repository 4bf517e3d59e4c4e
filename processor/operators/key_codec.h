#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/columns/column.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// KeyCodec: the values of some columns as bytes that compare (memcmp) as the values do, NULL
// first; equal values give equal bytes. Format: docs/FORMATS.md, section "State".
// Threads: immutable.
class KeyCodec {
 public:
  explicit KeyCodec(std::vector<DataType> types) : types_(std::move(types)) {}

  // Appends the key of row `row`; columns[i] has the type types[i].
  void Encode(const std::vector<const Column*>& columns, size_t row, std::string& to) const;
  // Appends the key's values to columns[first] and those behind it. kDataLoss: not such a key.
  Status Decode(std::string_view key,
                std::vector<Column>& columns,
                size_t first,
                Arena& arena) const;

 private:
  std::vector<DataType> types_;
};

// RowKeyCodec: the key that some of a row's columns make, as KeyCodec has it: the group, the
// partition a row belongs to. Threads: immutable.
class RowKeyCodec {
 public:
  // Of rows with the columns of `schema`, those at `columns`.
  RowKeyCodec(const Schema& schema, std::vector<size_t> columns);

  // Appends the key of row `row`.
  void Encode(const std::vector<Column>& columns, size_t row, std::string& to) const;
  // As KeyCodec::Decode.
  Status Decode(std::string_view key,
                std::vector<Column>& columns,
                size_t first,
                Arena& arena) const {
    return codec_.Decode(key, columns, first, arena);
  }

 private:
  std::vector<size_t> columns_;
  KeyCodec codec_;
};

// SortKeyCodec: the values of sort keys as bytes that compare as ORDER BY wants the rows:
// descending ones reversed, NULL where it is to stand. Written only, never read back. Threads:
// immutable.
class SortKeyCodec {
 public:
  explicit SortKeyCodec(std::vector<SortKey> keys) : keys_(std::move(keys)) {}

  // Appends the key of row `row`.
  void Encode(const std::vector<Column>& columns, size_t row, std::string& to) const;

 private:
  std::vector<SortKey> keys_;
};

// A time as 8 bytes that sort as it does.
void AppendSortable(std::string& to, int64_t value);
bool TakeSortable(std::string_view& from, int64_t& value);

// Doubles as integers that sort as they do: -0.0 is 0.0, there is one NaN, above everything.
int64_t SortableBits(double value);

}  // namespace slipstream::sql
