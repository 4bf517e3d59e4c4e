#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/status/status.h"
#include "processor/columns/column.h"
#include "processor/formats/column_rows.h"
#include "processor/formats/json_keys.h"
#include "processor/formats/json_options.h"
#include "processor/formats/json_value.h"

namespace slipstream::sql {

// An object's fields into their columns at a row, whose cells are NULL before: a record's, or those
// of a ROW. By ReadJsonValue's rules (json_value.h). A name that comes again replaces its value;
// other names are ignored; missing ones are NULL, or an error with fail_on_missing_field. With
// ignore_parse_errors values that do not fit are NULL.
Status ReadJsonFields(simdjson::ondemand::object object,
                      const std::vector<Field>& fields,
                      JsonShape& shape,
                      const JsonOptions& options,
                      Arena& arena,
                      size_t row,
                      std::span<Column> to);

// An object or array into one cell of a ROW, ARRAY or MAP column; internal to ReadJsonValue
// (json_value.h), whose rules it follows. With ignore_parse_errors elements that do not fit are
// NULL. Goes as deep as the type does, whatever the record's nesting.
Status ReadJsonNested(simdjson::ondemand::value& value,
                      simdjson::ondemand::json_type kind,
                      JsonShape& shape,
                      const JsonOptions& options,
                      Arena& arena,
                      size_t row,
                      Column& to);

}  // namespace slipstream::sql
