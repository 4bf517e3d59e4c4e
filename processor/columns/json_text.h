#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "processor/columns/column.h"

namespace slipstream::sql {

// Appends one value as JSON, as Flink writes it: NULL as null, DOUBLE as Java prints it (NaN and
// infinities as strings), DECIMAL in plain digits, times with as many digits of the fraction as
// they need, and `separator` between day and time.
void AppendJsonValue(const Column& column, size_t row, char separator, std::string& to);
// Appends `text` in quotes, escaped.
void AppendJsonText(std::string_view text, std::string& to);

}  // namespace slipstream::sql
