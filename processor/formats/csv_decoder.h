#pragma once

#include <memory>
#include <vector>

#include "common/status/status.h"
#include "processor/formats/csv_options.h"
#include "processor/formats/record_decoder.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// CsvDecoder: 'format' = 'csv': a record is one row, its fields by position. Reads the wanted
// fields, checks the structure of the others.
//
// Input       see SplitCsvRecord. An empty record, a tombstone and, if allowed, a comment are no
//             row. An ARRAY or ROW is one field, its elements between array_delimiter; empty it is
//             an ARRAY of none.
// Bounds      kRecordBytesMax.
// Errors      a record that is not UTF-8, has another number of fields (one empty one at the end is
//             passed over) or a value that does not fit its column is a failure, whole; with
//             ignore_parse_errors such a value and a missing one are NULL, and any other such
//             record is skipped, as in Flink.
// Ownership   the rows' strings live in a copy of the records that batch.keep_alive holds.
class CsvDecoder final : public RecordDecoder {
 public:
  static constexpr size_t kRecordBytesMax = 64 << 20;

  // `fields`: of a record, in order; `wanted`: those to read, in the order of the batch's columns.
  // kUnimplemented: a column's type cannot be read from CSV.
  static Result<std::unique_ptr<CsvDecoder>> Create(Schema fields,
                                                    std::vector<size_t> wanted,
                                                    CsvOptions options);

  DecodedRows Decode(std::span<const std::optional<std::string_view>> records) override;

 private:
  CsvDecoder(Schema fields, std::vector<size_t> wanted, CsvOptions options);

  Status DecodeRecord(std::string_view record, Batch& batch, Arena& arena);
  Status ReadField(std::string_view field, size_t row, Arena& arena, Column& to);
  Status ReadElements(std::string_view field, size_t row, Arena& arena, Column& to);
  // NULL stays NULL; with ignore_parse_errors so is what does not fit.
  Status ReadScalar(std::string_view field, size_t row, Arena& arena, Column& to) const;

  const Schema fields_;
  const std::vector<size_t> wanted_;
  const CsvOptions options_;
  std::vector<std::string_view> texts_;  // of the record at hand
};

// Whether columns of the type can be read from CSV and written to it: scalars, and ARRAYs and ROWs
// of them.
bool IsCsvType(const DataType& type);

}  // namespace slipstream::sql
