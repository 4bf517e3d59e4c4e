#include "processor/expr/date_pattern.h"

#include <algorithm>
#include <array>

#include "processor/types/date_time.h"
#include "processor/types/number_text.h"

namespace slipstream::sql {
namespace {

constexpr std::string_view kLetters = "yuMLdDHkhKamsSE";
// As many digits as any int64_t has.
constexpr size_t kLetterRunMax = 18;
constexpr std::array<std::string_view, 12> kMonths = {"January",
                                                      "February",
                                                      "March",
                                                      "April",
                                                      "May",
                                                      "June",
                                                      "July",
                                                      "August",
                                                      "September",
                                                      "October",
                                                      "November",
                                                      "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {
    "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"};

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void AppendNumber(std::string& to, int64_t value, size_t width) {
  const std::string digits = std::to_string(value);
  if (digits.size() < width) to.append(width - digits.size(), '0');
  to += digits;
}

void AppendMonth(std::string& to, int32_t month, size_t count) {
  if (count < 3) return AppendNumber(to, month, count);
  const std::string_view name = kMonths[static_cast<size_t>(month - 1)];
  to += count == 3 ? name.substr(0, 3) : name;
}

void AppendFraction(std::string& to, int64_t micros, size_t count) {
  std::string digits;
  AppendNumber(digits, micros, 6);
  digits.append(count > 6 ? count - 6 : 0, '0');
  to += digits.substr(0, count);
}

std::optional<int64_t> TakeDigits(std::string_view& text, size_t least, size_t most) {
  size_t count = 0;
  int64_t value = 0;
  while (count < most && count < text.size() && text[count] >= '0' && text[count] <= '9') {
    value = value * 10 + (text[count] - '0');
    ++count;
  }
  if (count < least) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

}  // namespace

struct DatePattern::Fields {
  int64_t year = 1970;
  int64_t month = 1;
  int64_t day = 1;
  int64_t hour = 0;
  std::optional<int64_t> half_day_hour;  // 0..11
  bool is_afternoon = false;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t micros = 0;
};

Result<DatePattern> DatePattern::Parse(std::string_view pattern) {
  DatePattern parsed;
  const auto literal = [&parsed](char c) {
    if (parsed.parts_.empty() || parsed.parts_.back().letter != 0) parsed.parts_.emplace_back();
    parsed.parts_.back().literal.push_back(c);
  };
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\'') {
      if (i + 1 < pattern.size() && pattern[i + 1] == '\'') {
        literal('\'');
        ++i;
        continue;
      }
      const size_t end = pattern.find('\'', i + 1);
      if (end == std::string_view::npos) {
        return InvalidArgument("open quote in date pattern '" + std::string(pattern) + "'");
      }
      for (char quoted : pattern.substr(i + 1, end - i - 1))
        literal(quoted);
      i = end;
      continue;
    }
    if (!IsLetter(c)) {
      literal(c);
      continue;
    }
    if (kLetters.find(c) == std::string_view::npos) {
      return InvalidArgument("unknown letter " + std::string(1, c) + " in date pattern '" +
                             std::string(pattern) + "'");
    }
    const size_t end = std::min(pattern.find_first_not_of(c, i), pattern.size());
    if (end - i > kLetterRunMax) {
      return InvalidArgument("more than " + std::to_string(kLetterRunMax) + " times " +
                             std::string(1, c) + " in date pattern '" + std::string(pattern) + "'");
    }
    parsed.parts_.push_back({.letter = c, .count = end - i, .literal = {}});
    i = end - 1;
  }
  return parsed;
}

void DatePattern::Format(int64_t micros, std::string& to) const {
  const int64_t days = FloorDivide(micros, kMicrosPerDay);
  const int64_t time = FloorModulo(micros, kMicrosPerDay);
  const CivilDate date = CivilFromDays(days);
  const int64_t hour = time / kMicrosPerHour;
  for (const Part& part : parts_) {
    switch (part.letter) {
      case 0:
        to += part.literal;
        break;
      case 'y':
      case 'u':
        AppendNumber(to, part.count == 2 ? FloorModulo(date.year, 100) : date.year, part.count);
        break;
      case 'M':
      case 'L':
        AppendMonth(to, date.month, part.count);
        break;
      case 'd':
        AppendNumber(to, date.day, part.count);
        break;
      case 'D':
        AppendNumber(to, days - DaysFromCivil({.year = date.year}) + 1, part.count);
        break;
      case 'H':
        AppendNumber(to, hour, part.count);
        break;
      case 'k':
        AppendNumber(to, hour == 0 ? 24 : hour, part.count);
        break;
      case 'K':
        AppendNumber(to, hour % 12, part.count);
        break;
      case 'h':
        AppendNumber(to, hour % 12 == 0 ? 12 : hour % 12, part.count);
        break;
      case 'a':
        to += hour < 12 ? "AM" : "PM";
        break;
      case 'm':
        AppendNumber(to, time / kMicrosPerMinute % 60, part.count);
        break;
      case 's':
        AppendNumber(to, time / kMicrosPerSecond % 60, part.count);
        break;
      case 'S':
        AppendFraction(to, time % kMicrosPerSecond, part.count);
        break;
      default: {  // E
        const std::string_view name = kWeekdays[static_cast<size_t>(FloorModulo(days, 7))];
        to += part.count <= 3 ? name.substr(0, 3) : name;
        break;
      }
    }
  }
}

namespace {

bool TakeMonthName(std::string_view& text, bool is_short, int64_t& month) {
  for (size_t i = 0; i < kMonths.size(); ++i) {
    const std::string_view name = is_short ? kMonths[i].substr(0, 3) : kMonths[i];
    if (!EqualsIgnoreCase(text.substr(0, name.size()), name)) continue;
    text.remove_prefix(name.size());
    month = static_cast<int64_t>(i) + 1;
    return true;
  }
  return false;
}

// Two letters: a year of this century.
bool TakeYear(std::string_view& text, size_t count, int64_t& year) {
  const size_t most = count == 2 ? 2 : 4;
  const std::optional<int64_t> taken = TakeDigits(text, std::min(count, most), most);
  if (!taken) return false;
  year = count == 2 ? 2000 + *taken : *taken;
  return year >= 1;
}

bool TakeHalfDay(std::string_view& text, bool& is_afternoon) {
  const std::string_view mark = text.substr(0, 2);
  is_afternoon = EqualsIgnoreCase(mark, "PM");
  if (!is_afternoon && !EqualsIgnoreCase(mark, "AM")) return false;
  text.remove_prefix(2);
  return true;
}

bool TakeFraction(std::string_view& text, size_t count, int64_t& micros) {
  const std::string_view before = text;
  if (!TakeDigits(text, count, count)) return false;
  std::string digits(before.substr(0, std::min<size_t>(count, 6)));
  digits.append(6 - digits.size(), '0');
  micros = ParseInteger(digits).value_or(0);
  return true;
}

}  // namespace

bool DatePattern::ReadPart(const Part& part,
                           std::string_view& text,
                           bool is_before_digits,
                           Fields& fields) {
  // A number takes as many digits as letters stand there; one letter alone takes what comes.
  const bool is_fixed = part.count > 1 || is_before_digits;
  const auto number = [&](int64_t least, int64_t most, int64_t& to) {
    const std::optional<int64_t> value =
        TakeDigits(text, is_fixed ? part.count : 1, is_fixed ? part.count : 2);
    if (!value || *value < least || *value > most) return false;
    to = *value;
    return true;
  };
  switch (part.letter) {
    case 0:
      if (!text.starts_with(part.literal)) return false;
      text.remove_prefix(part.literal.size());
      return true;
    case 'y':
    case 'u':
      return TakeYear(text, part.count, fields.year);
    case 'M':
    case 'L':
      if (part.count >= 3) return TakeMonthName(text, part.count == 3, fields.month);
      return number(1, 12, fields.month);
    case 'd':
      return number(1, 31, fields.day);
    case 'H':
      return number(0, 23, fields.hour);
    case 'k': {
      if (!number(1, 24, fields.hour)) return false;
      fields.hour %= 24;
      return true;
    }
    case 'h':
    case 'K': {
      int64_t hour = 0;
      if (!number(part.letter == 'h' ? 1 : 0, part.letter == 'h' ? 12 : 11, hour)) return false;
      fields.half_day_hour = hour % 12;
      return true;
    }
    case 'a':
      return TakeHalfDay(text, fields.is_afternoon);
    case 'm':
      return number(0, 59, fields.minute);
    case 's':
      return number(0, 59, fields.second);
    case 'S':
      return TakeFraction(text, part.count, fields.micros);
    default:
      return false;
  }
}

std::optional<int64_t> DatePattern::Read(std::string_view text) const {
  Fields fields;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const bool is_before_digits = i + 1 < parts_.size() && parts_[i + 1].letter != 0;
    if (!ReadPart(parts_[i], text, is_before_digits, fields)) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  const auto month = static_cast<int32_t>(fields.month);
  if (fields.day > DaysInMonth(fields.year, month)) return std::nullopt;
  if (fields.half_day_hour) fields.hour = *fields.half_day_hour + (fields.is_afternoon ? 12 : 0);
  const int64_t days =
      DaysFromCivil({.year = fields.year, .month = month, .day = static_cast<int32_t>(fields.day)});
  return days * kMicrosPerDay + fields.hour * kMicrosPerHour + fields.minute * kMicrosPerMinute +
         fields.second * kMicrosPerSecond + fields.micros;
}

}  // namespace slipstream::sql
