#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "processor/columns/column.h"
#include "processor/formats/avro_schema.h"

namespace slipstream::sql {

// AvroReader: values of one record in Avro's binary encoding, one after the other.
//
// Bounds      never reads beyond the record; values that take no bytes are counted, so that a small
//             record cannot keep anybody busy.
// Errors      kInvalidArgument: "not Avro: …", "cannot read an Avro string as INT".
// Ownership   borrows the record and the arena; texts of cells are views into the record.
class AvroReader {
 public:
  AvroReader(std::string_view record, Arena& arena)
      : rest_(record), values_left_(16 * record.size() + 65'536), arena_(arena) {}

  // Stores the next value, which has the schema, in to's row `row`, or leaves it NULL. There is
  // room for the row. int goes into wider numbers, a record into a ROW by the fields' names.
  Status Read(const AvroSchema& schema, size_t row, Column& to);
  Status Skip(const AvroSchema& schema);
  bool is_at_end() const { return rest_.empty(); }

 private:
  Status Count();
  Result<int64_t> ReadLong();
  Result<std::string_view> ReadBytes(size_t count);
  Result<std::string_view> ReadText();
  Result<const AvroSchema*> ReadBranch(const AvroSchema& schema);
  // The entries of the next block of an array or map; 0: it was the last.
  Result<uint64_t> ReadBlock();

  Status ReadWhole(const AvroSchema& schema, size_t row, Column& to);
  Status ReadReal(const AvroSchema& schema, size_t row, Column& to);
  Status ReadString(const AvroSchema& schema, size_t row, Column& to);
  Status ReadEntries(const AvroSchema& schema, size_t row, Column& to);
  Status ReadRecord(const AvroSchema& schema, size_t row, Column& to);
  Status SkipEntries(const AvroSchema& schema);

  std::string_view rest_;
  uint64_t values_left_;
  Arena& arena_;
};

// Appends the value of row `row` as the schema that AvroSchemaOf derives for `type`, the column's
// but for what may be NULL, wants it. A NULL that may not be one is written as what stands in its
// place.
void AppendAvroValue(const Column& column, const DataType& type, size_t row, std::string& to);

}  // namespace slipstream::sql
