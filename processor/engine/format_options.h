#pragma once

#include <string>
#include <string_view>

#include "common/status/status.h"
#include "processor/formats/value_format.h"
#include "processor/planner/plan.h"
#include "processor/planner/table_options.h"

namespace slipstream::sql {

// The format that `option` ("format", "key.format", "value.format") names, with its own options:
// those that begin with "csv." for 'format' = 'csv', with "key.csv." for 'key.format' = 'csv'.
// `fields`: what a record is to hold.
// Errors: kInvalidArgument, kUnimplemented; messages begin with the table's name.
Result<ValueFormat> ReadFormat(const TableDefinition& table,
                               OptionReader& options,
                               std::string_view option,
                               const Schema& fields);

}  // namespace slipstream::sql
