#pragma once

#include <cstddef>

#include "common/status/status.h"
#include "processor/columns/column.h"
#include "processor/formats/json_options.h"
#include "processor/formats/json_value.h"

namespace slipstream::sql {

// ---- Columns while rows are read into them ----
//
// Scalars have a place for every row from the start; those without a value are not valid. Entries
// of an ARRAY or MAP are appended in the order of the rows: `offsets` goes as far as the last row
// that has some.

// Room for `rows` rows at least.
void MakeRoom(Column& column, size_t rows);
// Takes the row's value out again, and with it those of later rows.
void ForgetRow(Column& column, size_t row);
// There are `rows` rows, and no more to come: the column becomes like any other.
void FinishRows(Column& column, size_t rows);

// An object or array into one cell of a ROW, ARRAY or MAP column; internal to ReadJsonValue
// (json_value.h), whose rules it follows. Fields of an object that the ROW does not have are
// ignored, missing ones are NULL; with ignore_parse_errors so are values that do not fit. Goes as
// deep as the type does, whatever the record's nesting.
Status ReadJsonNested(simdjson::ondemand::value value,
                      simdjson::ondemand::json_type kind,
                      const JsonOptions& options,
                      Arena& arena,
                      size_t row,
                      Column& to);

}  // namespace slipstream::sql
