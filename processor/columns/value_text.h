#pragma once

#include <cstddef>
#include <string>

#include "processor/columns/column.h"

namespace slipstream::sql {

// Appends a scalar that is not NULL as Flink's text formats write it: "true", DOUBLE as Java prints
// it, DECIMAL in plain digits, bytes as base64, "2013-01-01 05:15:00.5" with as many digits of the
// fraction as it needs, and a 'Z' behind TIMESTAMP_LTZ.
void AppendValueText(const Column& column, size_t row, std::string& to);

// "2013-01-01 05:15:00.5" and its kin: DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ; with `separator`
// between day and time.
void AppendTemporalText(int64_t value, const DataType& type, char separator, std::string& to);

}  // namespace slipstream::sql
