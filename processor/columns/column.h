#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "processor/types/data_type.h"
#include "processor/types/value.h"

namespace slipstream::sql {

// Arena: bytes that live as long as it does; strings of columns point into one.
// Threads: none of its own; one owner at a time.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `size` bytes, uninitialised, never moved.
  char* Allocate(size_t size);
  // A copy of `text` that lives here.
  std::string_view Copy(std::string_view text);
  // Forgets all, keeps the first chunk for reuse.
  void Clear();
  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kChunkBytes = size_t{64} << 10;
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::vector<std::unique_ptr<char[]>> large_;
  size_t chunk_used_ = kChunkBytes;
  size_t bytes_ = 0;
};

// Column: values of one type, one per row, and which of them are NULL.
//
// Layout      one vector by physical kind (the others are empty); `valid` has one byte a row, 1
//             where there is a value, or is empty when every row has one. What stands in the
//             vector of a NULL row is unspecified but initialised.
// Ownership   owns its vectors. String bytes belong to an Arena or input buffer that the batch
//             keeps alive (Batch::keep_alive).
// Nested      children hold ROW fields (same number of rows), ARRAY elements, MAP keys and values;
//             for ARRAY and MAP offsets[i]..offsets[i+1] are row i's entries in the children.
struct Column {
  DataType type;
  std::vector<uint8_t> valid;

  std::vector<uint8_t> bools;
  std::vector<int64_t> ints;
  std::vector<double> doubles;
  std::vector<Int128> decimals;
  std::vector<std::string_view> strings;

  std::vector<Column> children;
  std::vector<uint32_t> offsets;

  Column() = default;
  // Of a nested type: with its children.
  explicit Column(DataType column_type);

  PhysicalKind physical() const { return PhysicalKindOf(type.kind); }
  size_t size() const;
  bool is_null(size_t row) const { return !valid.empty() && valid[row] == 0; }
  bool has_nulls() const { return !valid.empty(); }

  void Reserve(size_t rows);
  // Sets the number of rows; new ones are valid zeros / empty strings.
  void Resize(size_t rows);
  // Empties it, keeping type and memory.
  void Clear();

  void AppendNull();
  // `value` must fit the physical kind; a string's bytes are copied into `arena`.
  void Append(const Value& value, Arena& arena);
  // Row `row` of `from`, which has the same physical kind. Strings are not copied.
  void AppendFrom(const Column& from, size_t row);
  // A copy of the value, strings included.
  Value ValueAt(size_t row) const;
  // Marks a row NULL, making `valid` if it was empty.
  void SetNull(size_t row);
};

// What its values take in memory, strings by their length, children included.
uint64_t ValueBytes(const Column& column);

// Keeps the rows whose index is in `rows` (ascending or not, may repeat), in that order.
Column Gather(const Column& column, const std::vector<uint32_t>& rows);

}  // namespace slipstream::sql
