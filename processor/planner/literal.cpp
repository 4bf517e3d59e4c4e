#include "processor/planner/literal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace slipstream::sql {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kMinuteUs = 60 * kSecondUs;
constexpr int64_t kHourUs = 60 * kMinuteUs;
constexpr int64_t kDayUs = 24 * kHourUs;
constexpr int32_t kDecimalDigitsMax = 38;

DataType NotNull(DataType type) {
  type.nullable = false;
  return type;
}

// Reads numbers and marks off a text; each step is false when the text does not go on so.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // Between `digits_min` and `digits_max` digits.
  bool Number(size_t digits_min, size_t digits_max, int64_t& value) {
    size_t digits = 0;
    value = 0;
    while (digits < digits_max && !text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
      value = value * 10 + (text_[0] - '0');
      text_.remove_prefix(1);
      ++digits;
    }
    return digits >= digits_min;
  }
  bool Mark(char mark) {
    if (text_.empty() || text_[0] != mark) return false;
    text_.remove_prefix(1);
    return true;
  }
  // [.ffffff]: microseconds, and how many digits there were.
  bool Fraction(int64_t& microseconds, int32_t& digits) {
    microseconds = 0;
    digits = 0;
    if (!Mark('.')) return true;
    const size_t before = text_.size();
    if (!Number(1, 6, microseconds)) return false;
    digits = static_cast<int32_t>(before - text_.size());
    for (int32_t i = digits; i < 6; ++i)
      microseconds *= 10;
    return true;
  }
  bool AtEnd() const { return text_.empty(); }

 private:
  std::string_view text_;
};

bool ReadDate(Reader& reader, int64_t& days) {
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  if (!reader.Number(4, 4, year) || !reader.Mark('-') || !reader.Number(1, 2, month) ||
      !reader.Mark('-') || !reader.Number(1, 2, day)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return false;
  days = std::chrono::sys_days(date).time_since_epoch().count();
  return true;
}

// HH:mm[:ss[.ffffff]]
bool ReadTime(Reader& reader, int64_t& microseconds, int32_t& digits) {
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t fraction = 0;
  digits = 0;
  if (!reader.Number(1, 2, hour) || !reader.Mark(':') || !reader.Number(1, 2, minute)) {
    return false;
  }
  if (reader.Mark(':') && (!reader.Number(1, 2, second) || !reader.Fraction(fraction, digits))) {
    return false;
  }
  microseconds = hour * kHourUs + minute * kMinuteUs + second * kSecondUs + fraction;
  return hour < 24 && minute < 60 && second < 60;
}

Result<ExpressionPtr> BindNumber(const std::string& text) {
  if (text.find_first_of("eE") != std::string::npos) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return InvalidArgument("out of the range of DOUBLE");
    return MakeLiteral(value, NotNull(DataType::Double()));
  }
  const size_t point = text.find('.');
  if (point == std::string::npos) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc()) {
      const bool is_int = value <= INT32_MAX;
      return MakeLiteral(value, NotNull(is_int ? DataType::Int() : DataType::BigInt()));
    }
  }
  Int128 unscaled = 0;
  int32_t digits = 0;
  for (const char c : text) {
    if (c == '.') continue;
    const bool is_leading_zero = unscaled == 0 && c == '0';
    if (!is_leading_zero && ++digits > kDecimalDigitsMax) {
      return InvalidArgument("more digits than DECIMAL holds (38)");
    }
    unscaled = unscaled * 10 + (c - '0');
  }
  const size_t scale = point == std::string::npos ? 0 : text.size() - point - 1;
  if (scale > static_cast<size_t>(kDecimalDigitsMax)) {
    return InvalidArgument("more digits than DECIMAL holds (38)");
  }
  const int32_t precision = std::max({digits, static_cast<int32_t>(scale), 1});
  return MakeLiteral(unscaled, NotNull(DataType::Decimal(precision, static_cast<int32_t>(scale))));
}

Result<ExpressionPtr> BindString(const std::string& text) {
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  });
  DataType type{.kind = TypeKind::kChar, .precision = static_cast<int32_t>(characters)};
  if (characters == 0) type = DataType::String();
  return MakeLiteral(text, NotNull(type));
}

Result<ExpressionPtr> BindDateTime(const ast::Literal& literal) {
  Reader reader(literal.text);
  int64_t days = 0;
  int64_t microseconds = 0;
  int32_t digits = 0;
  switch (literal.kind) {
    case ast::Literal::Kind::kDate:
      if (!ReadDate(reader, days) || !reader.AtEnd()) {
        return InvalidArgument("not a date; one is written DATE '2013-01-31'");
      }
      return MakeLiteral(days, NotNull(DataType::Date()));
    case ast::Literal::Kind::kTime:
      if (!ReadTime(reader, microseconds, digits) || !reader.AtEnd()) {
        return InvalidArgument("not a time; one is written TIME '05:17:00'");
      }
      return MakeLiteral(microseconds, NotNull({.kind = TypeKind::kTime, .precision = digits}));
    default:
      break;
  }
  if (!ReadDate(reader, days) || !(reader.Mark(' ') || reader.Mark('T')) ||
      !ReadTime(reader, microseconds, digits) || !reader.AtEnd()) {
    return InvalidArgument("not a timestamp; one is written TIMESTAMP '2013-01-31 05:17:00.000'");
  }
  return MakeLiteral(days * kDayUs + microseconds, NotNull(DataType::Timestamp(digits)));
}

// ---- Intervals ----

struct IntervalField {
  std::string_view unit;
  int64_t size;  // microseconds, or months
  bool is_months;
  char mark_after;  // before the next smaller field of a range
  int64_t limit;    // a field that is not the first must be below it
};

constexpr std::array kIntervalFields = std::to_array<IntervalField>({
    {"YEAR", 12, true, '-', 0},
    {"QUARTER", 3, true, 0, 0},
    {"MONTH", 1, true, 0, 12},
    {"WEEK", 7 * kDayUs, false, 0, 0},
    {"DAY", kDayUs, false, ' ', 0},
    {"HOUR", kHourUs, false, ':', 24},
    {"MINUTE", kMinuteUs, false, ':', 60},
    {"SECOND", kSecondUs, false, 0, 60},
    {"MILLISECOND", 1000, false, 0, 0},
    {"MICROSECOND", 1, false, 0, 0},
});

const IntervalField* FindField(std::string_view unit) {
  const auto* const found =
      std::find_if(kIntervalFields.begin(), kIntervalFields.end(), [&](const IntervalField& field) {
        return field.unit == unit;
      });
  return found == kIntervalFields.end() ? nullptr : found;
}

// The length in the fields from..to; nullopt: the text is not of that form, or too large.
std::optional<int64_t> IntervalLength(std::string_view text,
                                      const IntervalField* field,
                                      const IntervalField* last) {
  Reader reader(text);
  int64_t length = 0;
  for (bool is_first = true;; is_first = false) {
    int64_t value = 0;
    if (!reader.Number(1, is_first ? 12 : 2, value)) return std::nullopt;
    if (!is_first && value >= field->limit) return std::nullopt;
    int64_t part = 0;
    if (__builtin_mul_overflow(value, field->size, &part) ||
        __builtin_add_overflow(length, part, &length)) {
      return std::nullopt;
    }
    if (field->unit == "SECOND") {
      int64_t fraction = 0;
      int32_t digits = 0;
      if (!reader.Fraction(fraction, digits)) return std::nullopt;
      length += fraction;
    }
    if (field == last) break;
    if (!reader.Mark(field->mark_after)) return std::nullopt;
    // YEAR goes on with MONTH, past QUARTER.
    field = field->unit == "YEAR" ? FindField("MONTH") : field + 1;
  }
  // 10,000 years: what TIMESTAMP spans; sums of two stay far from overflow.
  constexpr int64_t kLengthMaxUs = int64_t{10'000} * 366 * kDayUs;
  const int64_t length_max = last->is_months ? 120'000 : kLengthMaxUs;
  if (!reader.AtEnd() || length > length_max) return std::nullopt;
  return length;
}

}  // namespace

Result<ExpressionPtr> BindLiteral(const ast::Literal& literal) {
  using Kind = ast::Literal::Kind;
  switch (literal.kind) {
    case Kind::kNull:
      return MakeLiteral(std::monostate{}, DataType{});
    case Kind::kBoolean:
      return MakeLiteral(literal.text == "TRUE", NotNull(DataType::Boolean()));
    case Kind::kNumber:
      return BindNumber(literal.text);
    case Kind::kString:
      return BindString(literal.text);
    case Kind::kBinary: {
      const auto bytes = static_cast<int32_t>(literal.text.size());
      DataType type{.kind = TypeKind::kBinary, .precision = bytes};
      if (bytes == 0) type = {.kind = TypeKind::kVarbinary, .precision = INT32_MAX};
      return MakeLiteral(literal.text, NotNull(type));
    }
    default:
      return BindDateTime(literal);
  }
}

Result<ExpressionPtr> BindInterval(const ast::Interval& interval) {
  const IntervalField* const first = FindField(interval.from);
  const IntervalField* const last = interval.to.empty() ? first : FindField(interval.to);
  const bool is_known = first != nullptr && last != nullptr;
  const bool is_range = is_known && first != last;
  const bool is_ordered = !is_range || (first < last && first->is_months == last->is_months &&
                                        first->mark_after != 0 && last->unit.size() <= 6);
  if (!is_known || !is_ordered) {
    return InvalidArgument(fmt::format("there is no INTERVAL of {}{}{}",
                                       interval.from,
                                       interval.to.empty() ? "" : " TO ",
                                       interval.to));
  }
  std::string_view text = interval.text;
  bool is_negative = interval.is_negative;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    is_negative = is_negative != (text[0] == '-');
    text.remove_prefix(1);
  }
  const std::optional<int64_t> length = IntervalLength(text, first, last);
  if (!length) {
    return InvalidArgument(fmt::format("'{}' is not a length in {}{}{}",
                                       interval.text,
                                       interval.from,
                                       interval.to.empty() ? "" : " TO ",
                                       interval.to));
  }
  const TypeKind kind =
      first->is_months ? TypeKind::kIntervalYearMonth : TypeKind::kIntervalDayTime;
  return MakeLiteral(is_negative ? -*length : *length, NotNull({.kind = kind}));
}

ExpressionPtr NegateLiteral(const Expression& literal) {
  if (literal.kind != Expression::Kind::kLiteral) return nullptr;
  if (const auto* const integer = std::get_if<int64_t>(&literal.literal)) {
    const bool is_number = literal.type.is_integer() ||
                           literal.type.kind == TypeKind::kIntervalDayTime ||
                           literal.type.kind == TypeKind::kIntervalYearMonth;
    if (!is_number || *integer == INT64_MIN) return nullptr;
    return MakeLiteral(-*integer, literal.type);
  }
  if (const auto* const number = std::get_if<double>(&literal.literal)) {
    return MakeLiteral(-*number, literal.type);
  }
  if (const auto* const decimal = std::get_if<Int128>(&literal.literal)) {
    return MakeLiteral(-*decimal, literal.type);
  }
  return nullptr;
}

std::string DurationText(int64_t microseconds) {
  static constexpr std::array<std::pair<int64_t, std::string_view>, 6> kUnits = {{
      {kDayUs, "d"},
      {kHourUs, "h"},
      {kMinuteUs, "min"},
      {kSecondUs, "s"},
      {1000, "ms"},
      {1, "us"},
  }};
  if (microseconds < 0) return "-" + DurationText(-microseconds);
  std::string text;
  for (const auto& [size, unit] : kUnits) {
    if (microseconds < size) continue;
    if (!text.empty()) text += ' ';
    text += fmt::format("{} {}", microseconds / size, unit);
    microseconds %= size;
  }
  return text.empty() ? "0 s" : text;
}

}  // namespace slipstream::sql
