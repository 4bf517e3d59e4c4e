#include "processor/types/data_type.h"

#include <fmt/format.h>

namespace slipstream::sql {
namespace {

std::string Parameterless(const DataType& type) {
  switch (type.kind) {
    case TypeKind::kNull:
      return "NULL";
    case TypeKind::kBoolean:
      return "BOOLEAN";
    case TypeKind::kTinyInt:
      return "TINYINT";
    case TypeKind::kSmallInt:
      return "SMALLINT";
    case TypeKind::kInt:
      return "INT";
    case TypeKind::kBigInt:
      return "BIGINT";
    case TypeKind::kFloat:
      return "FLOAT";
    case TypeKind::kDouble:
      return "DOUBLE";
    case TypeKind::kDate:
      return "DATE";
    case TypeKind::kIntervalDayTime:
      return "INTERVAL DAY TO SECOND";
    case TypeKind::kIntervalYearMonth:
      return "INTERVAL YEAR TO MONTH";
    default:
      return "";
  }
}

std::string NestedToString(const DataType& type) {
  if (!type.children) return "?";
  const std::vector<Field>& children = *type.children;
  switch (type.kind) {
    case TypeKind::kArray:
      return fmt::format("ARRAY<{}>", children[0].type.ToString());
    case TypeKind::kMap:
      return fmt::format("MAP<{}, {}>", children[0].type.ToString(), children[1].type.ToString());
    default:
      break;
  }
  std::string text = "ROW<";
  for (size_t i = 0; i < children.size(); ++i) {
    if (i > 0) text += ", ";
    text += children[i].name + " " + children[i].type.ToString();
  }
  return text + ">";
}

std::string Base(const DataType& type) {
  switch (type.kind) {
    case TypeKind::kDecimal:
      return fmt::format("DECIMAL({}, {})", type.precision, type.scale);
    case TypeKind::kChar:
      return fmt::format("CHAR({})", type.precision);
    case TypeKind::kVarchar:
      return type.precision == INT32_MAX ? "STRING" : fmt::format("VARCHAR({})", type.precision);
    case TypeKind::kBinary:
      return fmt::format("BINARY({})", type.precision);
    case TypeKind::kVarbinary:
      return type.precision == INT32_MAX ? "BYTES" : fmt::format("VARBINARY({})", type.precision);
    case TypeKind::kTime:
      return fmt::format("TIME({})", type.precision);
    case TypeKind::kTimestamp:
      return fmt::format("TIMESTAMP({})", type.precision);
    case TypeKind::kTimestampLtz:
      return fmt::format("TIMESTAMP_LTZ({})", type.precision);
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow:
      return NestedToString(type);
    default:
      return Parameterless(type);
  }
}

}  // namespace

std::string DataType::ToString() const {
  return nullable ? Base(*this) : Base(*this) + " NOT NULL";
}

bool operator==(const DataType& a, const DataType& b) {
  if (a.kind != b.kind || a.precision != b.precision || a.scale != b.scale ||
      a.nullable != b.nullable) {
    return false;
  }
  if (a.children == b.children) return true;
  return a.children && b.children && *a.children == *b.children;
}

PhysicalKind PhysicalKindOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
      return PhysicalKind::kBool;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return PhysicalKind::kDouble;
    case TypeKind::kDecimal:
      return PhysicalKind::kInt128;
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return PhysicalKind::kString;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow:
      return PhysicalKind::kNested;
    default:
      return PhysicalKind::kInt64;
  }
}

}  // namespace slipstream::sql
