#include "processor/engine/row_lines.h"

#include <algorithm>
#include <utility>

#include "processor/engine/cell_text.h"
#include "processor/types/utf8.h"

namespace slipstream::sql {
namespace {

constexpr size_t kTextWidth = 20;

size_t UsualWidth(const DataType& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return 5;
    case TypeKind::kTinyInt:
      return 4;
    case TypeKind::kSmallInt:
      return 6;
    case TypeKind::kInt:
    case TypeKind::kBigInt:
      return 11;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return 12;
    case TypeKind::kDate:
      return 10;
    case TypeKind::kTime:
      return 8;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return 23;
    default:
      return kTextWidth;
  }
}

const char* Mark(RowKind kind) {
  switch (kind) {
    case RowKind::kInsert:
      return "+I";
    case RowKind::kUpdateBefore:
      return "-U";
    case RowKind::kUpdateAfter:
      return "+U";
    case RowKind::kDelete:
      return "-D";
  }
  return "";
}

}  // namespace

RowLines::RowLines(Schema schema, bool has_kinds)
    : schema_(std::move(schema)), has_kinds_(has_kinds) {
  for (const Field& field : schema_)
    widths_.push_back(std::max(CountCharacters(field.name), UsualWidth(field.type)));
}

std::string RowLines::Rule() const {
  std::string rule = has_kinds_ ? "+----" : "";
  for (const size_t width : widths_)
    rule.append("+").append(width + 2, '-');
  return rule + "+\n";
}

std::string RowLines::Header() const {
  std::string names = has_kinds_ ? "| op " : "";
  for (size_t i = 0; i < schema_.size(); ++i)
    AppendCell(i, schema_[i].name, names);
  return Rule() + names + "|\n" + Rule();
}

std::string RowLines::Line(const RowBatch& rows, size_t row) const {
  std::string line;
  if (has_kinds_) line = std::string("| ") + Mark(rows.kind(row)) + " ";
  for (size_t i = 0; i < schema_.size(); ++i)
    AppendCell(i, CellLine(rows.batch.columns[i], row), line);
  return line + "|";
}

void RowLines::AppendCell(size_t column, const std::string& text, std::string& line) const {
  const size_t characters = CountCharacters(text);
  const size_t width = widths_[column];
  const std::string padding(width > characters ? width - characters : 0, ' ');
  line += "| ";
  line += schema_[column].type.is_numeric() ? padding + text : text + padding;
  line += " ";
}

}  // namespace slipstream::sql
