#include "processor/planner/implicit_cast.h"

#include <algorithm>

namespace slipstream::sql {

bool CanCastImplicitly(const DataType& from, const DataType& to) {
  if (from.kind == TypeKind::kNull) return true;
  switch (to.kind) {
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInt:
    case TypeKind::kBigInt:
      return from.is_integer() && from.kind <= to.kind;
    case TypeKind::kFloat:
      return from.is_integer() || from.kind == TypeKind::kFloat || from.kind == TypeKind::kDecimal;
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
      return from.is_numeric();
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      return from.is_string();
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return from.is_binary();
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return from.is_timestamp();
    case TypeKind::kDate:
    case TypeKind::kTime:
      return from.kind == to.kind || from.kind == TypeKind::kTimestamp;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kRow: {
      if (from.kind != to.kind) return false;
      return std::equal(
          from.children->begin(),
          from.children->end(),
          to.children->begin(),
          to.children->end(),
          [](const Field& a, const Field& b) { return CanCastImplicitly(a.type, b.type); });
    }
    default:
      return from.kind == to.kind;
  }
}

}  // namespace slipstream::sql
