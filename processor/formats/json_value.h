#pragma once

#include <simdjson.h>

#include "common/status/status.h"
#include "processor/columns/column.h"
#include "processor/formats/json_keys.h"
#include "processor/formats/json_options.h"

namespace slipstream::sql {

// One JSON value into one cell; internal to the decoder, which owns the loop over records.

// Whether columns of the type can be read from JSON.
bool IsJsonType(const DataType& type);

// Stores the value in to's row `row`, marking it valid, or leaves it NULL if it is null. There is
// room for the row, and no value in it. `shape` is of the column's type. Strings without escapes
// point into the parsed record, others into `arena`. Errors: kInvalidArgument, "cannot read 'x' as
// INT".
Status ReadJsonValue(simdjson::ondemand::value& value,
                     JsonShape& shape,
                     const JsonOptions& options,
                     Arena& arena,
                     size_t row,
                     Column& to);

// The number of the field that the key names; kNone.
simdjson::error_code FindField(JsonKeys& keys,
                               simdjson::ondemand::field& field,
                               size_t place,
                               int32_t& found);

Status JsonError(simdjson::error_code error);

}  // namespace slipstream::sql
