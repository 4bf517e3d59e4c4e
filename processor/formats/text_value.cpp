#include "processor/formats/text_value.h"

#include <optional>
#include <string>

#include "common/text/base64.h"
#include "processor/expr/type_rules.h"
#include "processor/types/date_time.h"
#include "processor/types/decimal.h"
#include "processor/types/integer_range.h"
#include "processor/types/number_text.h"
#include "processor/types/utf8.h"

namespace slipstream::sql {
namespace {

constexpr size_t kShownBytes = 64;
constexpr size_t kDateBytes = 10;

// Micros with no more digits of the second than the type has.
int64_t CutToPrecision(int64_t micros, const DataType& type) {
  int64_t unit = kMicrosPerSecond;
  for (int32_t digits = 0; digits < type.precision && unit > 1; ++digits)
    unit /= 10;
  return FloorDivide(micros, unit) * unit;
}

std::optional<int64_t> ParseTemporal(std::string_view text, const DataType& type) {
  if (type.kind == TypeKind::kDate) return ParseDate(text);
  if (type.kind == TypeKind::kTime) return ParseTimeOfDay(text);
  if (type.kind == TypeKind::kTimestampLtz && text.ends_with('Z')) text.remove_suffix(1);
  if (text.size() <= kDateBytes) return std::nullopt;
  const std::optional<int64_t> micros = ParseTimestamp(text);
  return micros ? std::optional(CutToPrecision(*micros, type)) : std::nullopt;
}

std::optional<int64_t> ParseWhole(std::string_view text, const DataType& type) {
  if (type.is_temporal()) return ParseTemporal(TrimBlanks(text), type);
  const std::optional<int64_t> number = ParseInteger(text);
  return number && FitsInteger(*number, type.kind) ? number : std::nullopt;
}

}  // namespace

Status CannotReadText(std::string_view text, const DataType& type) {
  std::string shown(FirstCharacters(text, kShownBytes));
  if (shown.size() < text.size()) shown += "…";
  return InvalidArgument("cannot read '" + shown + "' as " + AsNullable(type).ToString());
}

bool IsTextType(const DataType& type) {
  return type.is_numeric() || type.is_string() || type.is_binary() || type.is_temporal() ||
         type.kind == TypeKind::kBoolean;
}

Status ReadTextValue(std::string_view text, Arena& arena, size_t row, Column& to) {
  switch (to.physical()) {
    case PhysicalKind::kBool: {
      const std::optional<bool> truth = ParseBoolean(TrimBlanks(text));
      if (!truth) return CannotReadText(text, to.type);
      to.bools[row] = *truth ? 1 : 0;
      break;
    }
    case PhysicalKind::kInt64: {
      const std::optional<int64_t> number = ParseWhole(text, to.type);
      if (!number) return CannotReadText(text, to.type);
      to.ints[row] = *number;
      break;
    }
    case PhysicalKind::kDouble: {
      const std::optional<double> number = ParseDouble(text);
      if (!number) return CannotReadText(text, to.type);
      const bool is_float = to.type.kind == TypeKind::kFloat;
      to.doubles[row] = is_float ? static_cast<double>(static_cast<float>(*number)) : *number;
      break;
    }
    case PhysicalKind::kInt128: {
      bool is_number = false;
      const std::optional<Int128> number =
          ParseDecimal(TrimBlanks(text), to.type.scale, &is_number);
      if (!is_number) return CannotReadText(text, to.type);
      if (!number || !FitsPrecision(*number, to.type.precision)) return {};
      to.decimals[row] = *number;
      break;
    }
    case PhysicalKind::kString: {
      if (!to.type.is_binary()) {
        to.strings[row] = text;
        break;
      }
      const std::optional<std::string> bytes = DecodeBase64(text);
      if (!bytes) return CannotReadText(text, to.type);
      to.strings[row] = arena.Copy(*bytes);
      break;
    }
    case PhysicalKind::kNested:
      return CannotReadText(text, to.type);
  }
  to.valid[row] = 1;
  return {};
}

}  // namespace slipstream::sql
