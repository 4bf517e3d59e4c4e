#pragma once

#include <string>
#include <variant>
#include <vector>

#include "processor/types/data_type.h"

namespace slipstream::sql {

// Value: one value outside a column: a literal, a group's key in a message, a test's expectation.
// monostate is NULL; the alternatives are those of PhysicalKind. Its type is kept beside it.
using Value = std::variant<std::monostate, bool, int64_t, double, Int128, std::string>;

inline bool IsNull(const Value& value) {
  return std::holds_alternative<std::monostate>(value);
}

// As Flink's CAST(… AS STRING) prints it: "TRUE", "12", "1.5", "2013-01-01 05:15:00.000" (as many
// digits as the type's precision), "NULL".
std::string ToText(const Value& value, const DataType& type);

}  // namespace slipstream::sql
