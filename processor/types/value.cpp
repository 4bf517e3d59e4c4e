#include "processor/types/value.h"

#include "processor/types/date_time.h"
#include "processor/types/decimal.h"
#include "processor/types/number_text.h"

namespace slipstream::sql {
namespace {

// As Flink prints an interval: "+1 02:03:04.000", "+1-06".
std::string IntervalText(int64_t value, TypeKind kind) {
  std::string text = value < 0 ? "-" : "+";
  const int64_t magnitude = value < 0 ? -value : value;
  if (kind == TypeKind::kIntervalYearMonth) {
    const int64_t months = magnitude % 12;
    return text + std::to_string(magnitude / 12) + (months < 10 ? "-0" : "-") +
           std::to_string(months);
  }
  return text + std::to_string(magnitude / kMicrosPerDay) + " " +
         FormatTimeOfDay(magnitude % kMicrosPerDay, 3);
}

std::string IntegerText(int64_t value, const DataType& type) {
  switch (type.kind) {
    case TypeKind::kDate:
      return FormatDate(value);
    case TypeKind::kTime:
      return FormatTimeOfDay(value, type.precision);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return FormatTimestamp(value, type.precision);
    case TypeKind::kIntervalDayTime:
    case TypeKind::kIntervalYearMonth:
      return IntervalText(value, type.kind);
    default:
      return std::to_string(value);
  }
}

}  // namespace

std::string ToText(const Value& value, const DataType& type) {
  if (IsNull(value)) return "NULL";
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "TRUE" : "FALSE";
  if (const auto* integer = std::get_if<int64_t>(&value)) return IntegerText(*integer, type);
  if (const auto* real = std::get_if<double>(&value)) {
    return type.kind == TypeKind::kFloat ? FormatFloat(static_cast<float>(*real))
                                         : FormatDouble(*real);
  }
  if (const auto* decimal = std::get_if<Int128>(&value)) return FormatDecimal(*decimal, type.scale);
  return std::get<std::string>(value);
}

}  // namespace slipstream::sql
