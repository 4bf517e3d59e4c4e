#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "processor/columns/column.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// Single values of columns that are of one type, whatever that is.

// Both NULL, or the same value; nested values part by part.
bool IsSameCell(const Column& a, size_t row_a, const Column& b, size_t row_b);

// Equal for values that IsSameCell takes for the same.
uint64_t HashCell(const Column& column, size_t row);

// Whether values of the type have an order.
bool HasOrder(const DataType& type);
// Negative, zero or positive, of values that are not NULL and have an order. NaN is the greatest.
int CompareCells(const Column& a, size_t row_a, const Column& b, size_t row_b);

// A value as CAST(… AS STRING) has it: "[1, 2]", "{a=1}", "(1, x)"; "NULL".
void AppendCellText(const Column& column, size_t row, std::string& to);

DataType ArrayOf(DataType element, bool is_nullable);
DataType MapOf(DataType key, DataType value, bool is_nullable);
const DataType& ElementType(const DataType& array);

}  // namespace slipstream::sql
