#include "processor/types/date_time.h"

#include <algorithm>
#include <array>

namespace slipstream::sql {
namespace {

// Cuts 1..max_digits digits off the front.
std::optional<int64_t> TakeNumber(std::string_view& text, size_t max_digits) {
  size_t count = 0;
  int64_t value = 0;
  while (count < text.size() && count < max_digits && text[count] >= '0' && text[count] <= '9') {
    value = value * 10 + (text[count] - '0');
    ++count;
  }
  if (count == 0) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool Take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int64_t> TakeDate(std::string_view& text) {
  const std::optional<int64_t> year = TakeNumber(text, 4);
  if (!year || *year < 1) return std::nullopt;
  if (!Take(text, '-')) return std::nullopt;
  const std::optional<int64_t> month = TakeNumber(text, 2);
  if (!month || *month < 1 || *month > 12 || !Take(text, '-')) return std::nullopt;
  const std::optional<int64_t> day = TakeNumber(text, 2);
  const auto month_number = static_cast<int32_t>(*month);
  if (!day || *day < 1 || *day > DaysInMonth(*year, month_number)) return std::nullopt;
  return DaysFromCivil({.year = *year, .month = month_number, .day = static_cast<int32_t>(*day)});
}

std::optional<int64_t> TakeFraction(std::string_view& text) {
  int64_t micros = 0;
  int64_t unit = kMicrosPerSecond / 10;
  size_t count = 0;
  while (count < text.size() && count < 9 && text[count] >= '0' && text[count] <= '9') {
    micros += unit * (text[count] - '0');
    unit /= 10;
    ++count;
  }
  if (count == 0) return std::nullopt;
  text.remove_prefix(count);
  return micros;
}

std::optional<int64_t> TakeTimeOfDay(std::string_view& text) {
  const std::optional<int64_t> hour = TakeNumber(text, 2);
  if (!hour || *hour > 23 || !Take(text, ':')) return std::nullopt;
  const std::optional<int64_t> minute = TakeNumber(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int64_t micros = *hour * kMicrosPerHour + *minute * kMicrosPerMinute;
  if (!Take(text, ':')) return micros;
  const std::optional<int64_t> second = TakeNumber(text, 2);
  if (!second || *second > 59) return std::nullopt;
  micros += *second * kMicrosPerSecond;
  if (!Take(text, '.')) return micros;
  const std::optional<int64_t> fraction = TakeFraction(text);
  if (!fraction) return std::nullopt;
  return micros + *fraction;
}

// "yyyy-MM-dd HH:mm:ss" with all its digits, and up to six of a fraction, as most are written:
// without a look for where each part ends. nullopt: it is something else, or nothing.
std::optional<int64_t> ParseFullTimestamp(std::string_view text) {
  constexpr size_t kSecondsBytes = 19;
  constexpr size_t kBytesMax = 26;
  if (text.size() < kSecondsBytes || text.size() > kBytesMax) return std::nullopt;
  bool is_full = text[4] == '-' && text[7] == '-' && (text[10] == ' ' || text[10] == 'T') &&
                 text[13] == ':' && text[16] == ':';
  const auto digit = [&](size_t at) {
    const auto value = static_cast<uint32_t>(text[at]) - '0';
    is_full &= value <= 9;
    return static_cast<int32_t>(value);
  };
  const auto pair = [&](size_t at) { return digit(at) * 10 + digit(at + 1); };
  const CivilDate date{.year = pair(0) * 100 + pair(2), .month = pair(5), .day = pair(8)};
  const int32_t hour = pair(11);
  const int32_t minute = pair(14);
  const int32_t second = pair(17);
  int64_t micros = 0;
  if (text.size() > kSecondsBytes) {
    is_full &= text[kSecondsBytes] == '.' && text.size() > kSecondsBytes + 1;
    for (size_t i = kSecondsBytes + 1; i < kBytesMax; ++i)
      micros = micros * 10 + (i < text.size() ? digit(i) : 0);
  }
  if (!is_full || date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 ||
      date.day > DaysInMonth(date.year, date.month) || hour > 23 || minute > 59 || second > 59) {
    return std::nullopt;
  }
  const int64_t seconds = hour * 3600 + minute * 60 + second;
  return DaysFromCivil(date) * kMicrosPerDay + seconds * kMicrosPerSecond + micros;
}

void AppendPadded(std::string& to, int64_t value, size_t width) {
  std::array<char, 24> digits{};
  size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (digits.size() - at < width)
    digits[--at] = '0';
  to.append(digits.data() + at, digits.size() - at);
}

void AppendDate(std::string& to, int64_t days) {
  const CivilDate date = CivilFromDays(days);
  if (date.year < 0) to.push_back('-');
  AppendPadded(to, date.year < 0 ? -date.year : date.year, 4);
  to.push_back('-');
  AppendPadded(to, date.month, 2);
  to.push_back('-');
  AppendPadded(to, date.day, 2);
}

void AppendTimeOfDay(std::string& to, int64_t micros, int32_t precision) {
  AppendPadded(to, micros / kMicrosPerHour, 2);
  to.push_back(':');
  AppendPadded(to, micros / kMicrosPerMinute % 60, 2);
  to.push_back(':');
  AppendPadded(to, micros / kMicrosPerSecond % 60, 2);
  if (precision <= 0) return;
  int64_t fraction = micros % kMicrosPerSecond;
  for (int32_t digits = precision; digits < 6; ++digits)
    fraction /= 10;
  to.push_back('.');
  AppendPadded(to, fraction, static_cast<size_t>(std::min(precision, 6)));
}

}  // namespace

// The two conversions are Howard Hinnant's algorithms: eras of 400 years that begin in March, so
// that the leap day is the last of its year.
int64_t DaysFromCivil(const CivilDate& date) {
  const int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const int64_t era = FloorDivide(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t month_from_march = (date.month + 9) % 12;
  const int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

CivilDate CivilFromDays(int64_t days) {
  const int64_t shifted = days + 719468;
  const int64_t era = FloorDivide(shifted, 146097);
  const int64_t day_of_era = shifted - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<int32_t>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  const auto month =
      static_cast<int32_t>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  return {.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0), .month = month, .day = day};
}

int32_t DaysInMonth(int64_t year, int32_t month) {
  constexpr std::array<int32_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && is_leap ? 29 : kDays[static_cast<size_t>(month - 1)];
}

int64_t AddMonthsToDays(int64_t days, int64_t months) {
  const CivilDate date = CivilFromDays(days);
  const int64_t month_number = date.year * 12 + date.month - 1 + months;
  const int64_t year = FloorDivide(month_number, 12);
  const auto month = static_cast<int32_t>(FloorModulo(month_number, 12)) + 1;
  return DaysFromCivil(
      {.year = year, .month = month, .day = std::min(date.day, DaysInMonth(year, month))});
}

std::optional<int64_t> ParseDate(std::string_view text) {
  const std::optional<int64_t> days = TakeDate(text);
  return text.empty() ? days : std::nullopt;
}

std::optional<int64_t> ParseTimeOfDay(std::string_view text) {
  const std::optional<int64_t> micros = TakeTimeOfDay(text);
  return text.empty() ? micros : std::nullopt;
}

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  if (const std::optional<int64_t> micros = ParseFullTimestamp(text)) return micros;
  const std::optional<int64_t> days = TakeDate(text);
  if (!days) return std::nullopt;
  if (text.empty()) return *days * kMicrosPerDay;
  if (!Take(text, ' ') && !Take(text, 'T')) return std::nullopt;
  const std::optional<int64_t> micros = TakeTimeOfDay(text);
  if (!micros || !text.empty()) return std::nullopt;
  return *days * kMicrosPerDay + *micros;
}

std::string FormatDate(int64_t days) {
  std::string text;
  AppendDate(text, days);
  return text;
}

std::string FormatTimeOfDay(int64_t micros, int32_t precision) {
  std::string text;
  AppendTimeOfDay(text, micros, precision);
  return text;
}

void AppendTimestamp(std::string& to, int64_t micros, int32_t precision, char separator) {
  AppendDate(to, FloorDivide(micros, kMicrosPerDay));
  to.push_back(separator);
  AppendTimeOfDay(to, FloorModulo(micros, kMicrosPerDay), precision);
}

std::string FormatTimestamp(int64_t micros, int32_t precision, char separator) {
  std::string text;
  AppendTimestamp(text, micros, precision, separator);
  return text;
}

}  // namespace slipstream::sql
