#include "processor/engine/cell_text.h"

#include "processor/columns/json_text.h"
#include "processor/types/value.h"

namespace slipstream::sql {

std::string CellText(const Column& column, size_t row, std::string_view null) {
  if (column.is_null(row)) return std::string(null);
  if (column.physical() != PhysicalKind::kNested) return ToText(column.ValueAt(row), column.type);
  std::string text;
  AppendJsonValue(column, row, ' ', text);
  return text;
}

std::string CellLine(const Column& column, size_t row) {
  std::string text = CellText(column, row, "NULL");
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

}  // namespace slipstream::sql
