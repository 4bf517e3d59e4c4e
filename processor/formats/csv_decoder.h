#pragma once

#include <memory>
#include <vector>

#include "common/status/status.h"
#include "processor/formats/csv_options.h"
#include "processor/formats/row_decoder.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// CsvDecoder: 'format' = 'csv': a record is one row, its fields by position. Reads the wanted
// fields, checks the structure of the others.
//
// Input       see SplitCsvRecord. An empty record, a tombstone and, if allowed, a comment are no
//             row. An ARRAY or ROW is one field, its elements between array_delimiter; empty it is
//             an ARRAY of none.
// Errors      a record that is not UTF-8, has another number of fields (one empty one at the end is
//             passed over) or a value that does not fit its column is a failure, whole; with
//             ignore_parse_errors such a value and a missing one are NULL, and any other such
//             record is skipped, as in Flink.
class CsvDecoder final : public RowDecoder {
 public:
  // `fields`: of a record, in order; `wanted`: those to read, in the order of the batch's columns.
  // kUnimplemented: a column's type cannot be read from CSV.
  static Result<std::unique_ptr<CsvDecoder>> Create(const Schema& fields,
                                                    std::vector<size_t> wanted,
                                                    CsvOptions options);

 private:
  CsvDecoder(Schema columns, size_t field_count, std::vector<size_t> wanted, CsvOptions options);

  bool IsRow(std::string_view record) const override;
  Status DecodeRecord(std::string_view record, Batch& batch, Arena& arena) override;
  Status ReadField(std::string_view field, size_t row, Arena& arena, Column& to);
  Status ReadElements(std::string_view field, size_t row, Arena& arena, Column& to);
  // NULL stays NULL; with ignore_parse_errors so is what does not fit.
  Status ReadScalar(std::string_view field, size_t row, Arena& arena, Column& to) const;

  const size_t field_count_;          // of a record
  const std::vector<size_t> wanted_;  // by column
  const CsvOptions options_;
  std::vector<std::string_view> texts_;  // of the record at hand
};

// Whether columns of the type can be read from CSV and written to it: scalars, and ARRAYs and ROWs
// of them.
bool IsCsvType(const DataType& type);

}  // namespace slipstream::sql
