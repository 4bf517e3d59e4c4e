#include "processor/columns/value_text.h"

#include <array>
#include <charconv>

#include "common/text/base64.h"
#include "processor/types/date_time.h"
#include "processor/types/decimal.h"
#include "processor/types/number_text.h"
#include "processor/types/value.h"

namespace slipstream::sql {
namespace {

// Digits the fraction needs: 0 for whole seconds.
int32_t FractionDigits(int64_t micros) {
  int64_t fraction = FloorModulo(micros, kMicrosPerSecond);
  if (fraction == 0) return 0;
  int32_t digits = 6;
  for (; fraction % 10 == 0; fraction /= 10)
    --digits;
  return digits;
}

void AppendInteger(int64_t value, std::string& to) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  to.append(digits.data(), end.ptr);
}

}  // namespace

void AppendTemporalText(int64_t value, const DataType& type, char separator, std::string& to) {
  switch (type.kind) {
    case TypeKind::kDate:
      to += FormatDate(value);
      break;
    case TypeKind::kTime:
      to += FormatTimeOfDay(value, FractionDigits(value));
      break;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      AppendTimestamp(to, value, FractionDigits(value), separator);
      if (type.kind == TypeKind::kTimestampLtz) to.push_back('Z');
      break;
    default:
      to += ToText(value, type);
      break;
  }
}

void AppendValueText(const Column& column, size_t row, std::string& to) {
  switch (column.physical()) {
    case PhysicalKind::kBool:
      to += column.bools[row] != 0 ? "true" : "false";
      break;
    case PhysicalKind::kInt64:
      if (column.type.is_integer()) {
        AppendInteger(column.ints[row], to);
      } else {
        AppendTemporalText(column.ints[row], column.type, ' ', to);
      }
      break;
    case PhysicalKind::kDouble:
      to += column.type.kind == TypeKind::kFloat
                ? FormatFloat(static_cast<float>(column.doubles[row]))
                : FormatDouble(column.doubles[row]);
      break;
    case PhysicalKind::kInt128:
      to += FormatDecimal(column.decimals[row], column.type.scale);
      break;
    case PhysicalKind::kString:
      if (column.type.is_binary()) {
        to += EncodeBase64(column.strings[row]);
      } else {
        to.append(column.strings[row]);
      }
      break;
    case PhysicalKind::kNested:
      break;  // has no text of its own
  }
}

}  // namespace slipstream::sql
