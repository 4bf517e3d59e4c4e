#pragma once

#include <optional>

#include "processor/types/data_type.h"

namespace slipstream::sql {

// The types of results, as Flink derives them. Nullability is the callers' affair.

// An integer's type as a DECIMAL: INT is DECIMAL(10, 0). Decimals stay.
DataType AsDecimal(const DataType& type);

// The type both sides are brought to; nullopt: none. `for_comparison` also lets text meet numbers
// (the number's type wins).
std::optional<DataType> CommonTypeOf(const DataType& a, const DataType& b, bool for_comparison);

// DECIMAL results of + and -, *, / and %, cut to 38 digits at the cost of the scale (6 digits of it
// are kept).
DataType DecimalSumType(const DataType& a, const DataType& b);
DataType DecimalProductType(const DataType& a, const DataType& b);
DataType DecimalQuotientType(const DataType& a, const DataType& b);
DataType DecimalRemainderType(const DataType& a, const DataType& b);

// The same type but for nullability.
bool IsSameType(const DataType& a, const DataType& b);
// A value of `from` already is one of `to`, bit for bit: CHAR(3) as STRING, INT as BIGINT.
bool IsHeldAlike(const DataType& from, const DataType& to);

DataType AsNullable(DataType type, bool nullable = true);

}  // namespace slipstream::sql
