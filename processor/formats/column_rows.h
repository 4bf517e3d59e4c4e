#pragma once

#include <cstddef>

#include "processor/columns/column.h"

namespace slipstream::sql {

// ---- Columns while rows are read into them ----
//
// Scalars have a place for every row from the start; those without a value are not valid. Entries
// of an ARRAY or MAP are appended in the order of the rows: `offsets` goes as far as the last row
// that has some.

// Whether it is an ARRAY or a MAP.
bool HasEntries(const Column& column);
// Room for `rows` rows at least.
void MakeRoom(Column& column, size_t rows);
// Takes the row's value out again, and with it those of later rows.
void ForgetRow(Column& column, size_t row);
// There are `rows` rows, and no more to come: the column becomes like any other.
void FinishRows(Column& column, size_t rows);

// The entries of one row of an ARRAY or MAP: Begin, Add for each, End. ForgetRow takes back what
// was added to a row that is not ended too, if its end has been told.
void BeginEntries(Column& column, size_t row);
// The place in the children for one more entry.
size_t AddEntry(Column& column);
void EndEntries(Column& column);

}  // namespace slipstream::sql
