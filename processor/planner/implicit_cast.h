#pragma once

#include "processor/types/data_type.h"

namespace slipstream::sql {

// Whether INSERT casts a query's column of type `from` to a table's of type `to` by itself, as
// Flink does: to a wider number, to a string of another length, between TIMESTAMP and
// TIMESTAMP_LTZ. Everything else has to be written as a CAST.
bool CanCastImplicitly(const DataType& from, const DataType& to);

}  // namespace slipstream::sql
