#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "processor/formats/value_format.h"
#include "processor/planner/plan.h"
#include "processor/planner/table_options.h"

namespace slipstream::sql {

// Makes a client of a schema registry.
using RegistryOpener =
    std::function<Result<std::shared_ptr<SchemaRegistry>>(const RegistryAddress& address)>;

// The format that `option` ("format", "key.format", "value.format") names, with its own options:
// those that begin with "csv." for 'format' = 'csv', with "key.csv." for 'key.format' = 'csv'.
// `fields`: what a record is to hold.
// Errors: kInvalidArgument, kUnimplemented; messages begin with the table's name.
Result<ValueFormat> ReadFormat(const TableDefinition& table,
                               OptionReader& options,
                               std::string_view option,
                               const Schema& fields,
                               const RegistryOpener& open_registry);

}  // namespace slipstream::sql
