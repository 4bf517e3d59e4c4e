#pragma once

#include <cstddef>
#include <string_view>

#include "common/status/status.h"
#include "processor/columns/column.h"

namespace slipstream::sql {

// One value written as text into one cell, for formats whose fields are texts.

// Whether columns of the type can be read from a text. Not ARRAY, MAP and ROW.
bool IsTextType(const DataType& type);

// Stores the value in to's row `row`, marking it valid. Numbers and times may have blanks around
// them; a fraction is dropped where an integer is wanted, a DECIMAL that does not fit is NULL, as
// in Flink. Bytes are base64. Text is not copied: it lives as long as `text` does; bytes live in
// `arena`. There is room for the row. Errors: kInvalidArgument, "cannot read 'x' as INT".
Status ReadTextValue(std::string_view text, Arena& arena, size_t row, Column& to);

// "cannot read 'x' as INT"; a long text is cut.
Status CannotReadText(std::string_view text, const DataType& type);

}  // namespace slipstream::sql
