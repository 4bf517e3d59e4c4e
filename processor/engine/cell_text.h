#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "processor/columns/column.h"

namespace slipstream::sql {

// The value in row `row` for people: as CAST(… AS STRING) has it, nested values as JSON; `null` for
// NULL.
std::string CellText(const Column& column, size_t row, std::string_view null);

// CellText for a line of a table on a terminal: control characters, which would break the table or
// do worse to the terminal, are blanks.
std::string CellLine(const Column& column, size_t row);

}  // namespace slipstream::sql
