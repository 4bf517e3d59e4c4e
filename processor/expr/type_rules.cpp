#include "processor/expr/type_rules.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "processor/types/decimal.h"

namespace slipstream::sql {
namespace {

DataType CutDecimal(int32_t precision, int32_t scale) {
  if (precision <= kMaxDecimalPrecision) return DataType::Decimal(precision, scale);
  const int32_t digits = precision - scale;
  const int32_t least_scale = std::min(scale, 6);
  return DataType::Decimal(kMaxDecimalPrecision,
                           std::max(kMaxDecimalPrecision - digits, least_scale));
}

DataType CommonNumeric(const DataType& a, const DataType& b) {
  if (a.is_integer() && b.is_integer()) return a.kind >= b.kind ? a : b;
  if (a.is_approximate() || b.is_approximate()) {
    const bool has_double = a.kind == TypeKind::kDouble || b.kind == TypeKind::kDouble;
    const bool has_decimal = a.kind == TypeKind::kDecimal || b.kind == TypeKind::kDecimal;
    return has_double || has_decimal ? DataType::Double() : DataType{.kind = TypeKind::kFloat};
  }
  const DataType x = AsDecimal(a);
  const DataType y = AsDecimal(b);
  const int32_t scale = std::max(x.scale, y.scale);
  const int32_t digits = std::max(x.precision - x.scale, y.precision - y.scale);
  return CutDecimal(digits + scale, scale);
}

DataType CommonText(const DataType& a, const DataType& b) {
  const bool is_binary = a.is_binary();
  if (a.kind == b.kind && a.precision == b.precision) return a;
  return {.kind = is_binary ? TypeKind::kVarbinary : TypeKind::kVarchar,
          .precision = std::max(a.precision, b.precision)};
}

// Whether text that meets a value of this type is read as one.
bool TakesText(const DataType& type, bool for_comparison) {
  if (type.is_temporal()) return true;
  return for_comparison && (type.is_numeric() || type.kind == TypeKind::kBoolean);
}

DataType CommonTemporal(const DataType& a, const DataType& b) {
  if (a.kind == b.kind) return a.precision >= b.precision ? a : b;
  if (a.kind == TypeKind::kDate) return b;
  if (b.kind == TypeKind::kDate) return a;
  return DataType::TimestampLtz(std::max(a.precision, b.precision));
}

// Part by part; the names are those of `a`.
std::optional<DataType> CommonNested(const DataType& a, const DataType& b) {
  if (a.kind != b.kind || a.children->size() != b.children->size()) return std::nullopt;
  std::vector<Field> parts;
  for (size_t i = 0; i < a.children->size(); ++i) {
    const Field& part = (*a.children)[i];
    std::optional<DataType> type = CommonTypeOf(part.type, (*b.children)[i].type, false);
    if (!type) return std::nullopt;
    parts.push_back({part.name, *std::move(type)});
  }
  DataType common = a;
  common.children = std::make_shared<const std::vector<Field>>(std::move(parts));
  return common;
}

}  // namespace

DataType AsNullable(DataType type, bool nullable) {
  type.nullable = nullable;
  return type;
}

bool IsSameType(const DataType& a, const DataType& b) {
  return AsNullable(a) == AsNullable(b);
}

bool IsHeldAlike(const DataType& from, const DataType& to) {
  if (IsSameType(from, to)) return true;
  if (from.is_integer() && to.is_integer()) return to.kind >= from.kind;
  if (to.kind == TypeKind::kVarchar && from.is_string()) return to.precision >= from.precision;
  if (to.kind == TypeKind::kVarbinary && from.is_binary()) return to.precision >= from.precision;
  if (from.kind == to.kind && (from.is_timestamp() || from.kind == TypeKind::kTime)) {
    return to.precision >= from.precision;
  }
  return from.kind == TypeKind::kFloat && to.kind == TypeKind::kDouble;
}

DataType AsDecimal(const DataType& type) {
  switch (type.kind) {
    case TypeKind::kTinyInt:
      return DataType::Decimal(3, 0);
    case TypeKind::kSmallInt:
      return DataType::Decimal(5, 0);
    case TypeKind::kInt:
      return DataType::Decimal(10, 0);
    case TypeKind::kBigInt:
      return DataType::Decimal(19, 0);
    default:
      return type;
  }
}

std::optional<DataType> CommonTypeOf(const DataType& a, const DataType& b, bool for_comparison) {
  if (a.kind == TypeKind::kNull) return b;
  if (b.kind == TypeKind::kNull) return a;
  if (IsSameType(a, b)) return AsNullable(a, a.nullable || b.nullable);
  std::optional<DataType> common;
  if (a.children && b.children) {
    common = CommonNested(a, b);
  } else if (a.is_numeric() && b.is_numeric()) {
    common = CommonNumeric(a, b);
  } else if ((a.is_string() && b.is_string()) || (a.is_binary() && b.is_binary())) {
    common = CommonText(a, b);
  } else if (a.is_temporal() && b.is_temporal() &&
             (a.kind == TypeKind::kTime) == (b.kind == TypeKind::kTime)) {
    common = CommonTemporal(a, b);
  } else if (a.is_string() && TakesText(b, for_comparison)) {
    common = b;
  } else if (b.is_string() && TakesText(a, for_comparison)) {
    common = a;
  }
  if (common) common->nullable = a.nullable || b.nullable;
  return common;
}

DataType DecimalSumType(const DataType& a, const DataType& b) {
  const int32_t scale = std::max(a.scale, b.scale);
  const int32_t digits = std::max(a.precision - a.scale, b.precision - b.scale);
  return CutDecimal(digits + scale + 1, scale);
}

DataType DecimalProductType(const DataType& a, const DataType& b) {
  return CutDecimal(a.precision + b.precision + 1, a.scale + b.scale);
}

DataType DecimalQuotientType(const DataType& a, const DataType& b) {
  const int32_t scale = std::max(6, a.scale + b.precision + 1);
  return CutDecimal(a.precision - a.scale + b.scale + scale, scale);
}

DataType DecimalRemainderType(const DataType& a, const DataType& b) {
  const int32_t scale = std::max(a.scale, b.scale);
  const int32_t digits = std::min(a.precision - a.scale, b.precision - b.scale);
  return CutDecimal(digits + scale, scale);
}

}  // namespace slipstream::sql
