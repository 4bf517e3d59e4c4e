#pragma once

#include <cstddef>

#include "common/status/status.h"
#include "processor/columns/column.h"
#include "processor/formats/column_rows.h"
#include "processor/formats/json_keys.h"
#include "processor/formats/json_options.h"
#include "processor/formats/json_value.h"

namespace slipstream::sql {

// An object or array into one cell of a ROW, ARRAY or MAP column; internal to ReadJsonValue
// (json_value.h), whose rules it follows. Fields of an object that the ROW does not have are
// ignored, missing ones are NULL; with ignore_parse_errors so are values that do not fit. Goes as
// deep as the type does, whatever the record's nesting.
Status ReadJsonNested(simdjson::ondemand::value& value,
                      simdjson::ondemand::json_type kind,
                      JsonShape& shape,
                      const JsonOptions& options,
                      Arena& arena,
                      size_t row,
                      Column& to);

}  // namespace slipstream::sql
