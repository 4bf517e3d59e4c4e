#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipstream::sql {

// Dates and times of the proleptic Gregorian calendar, as the columns hold them: days and
// microseconds since 1970-01-01 00:00. Years 0001 to 9999 are read; others can come out of
// arithmetic and are written with as many digits as they need.

inline constexpr int64_t kMicrosPerMilli = 1'000;
inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

struct CivilDate {
  int64_t year = 1970;
  int32_t month = 1;  // 1..12
  int32_t day = 1;    // 1..31
};

int64_t DaysFromCivil(const CivilDate& date);
CivilDate CivilFromDays(int64_t days);
int32_t DaysInMonth(int64_t year, int32_t month);
// Months are counted by the calendar, the day is cut to the new month's last one.
int64_t AddMonthsToDays(int64_t days, int64_t months);

// Division that rounds towards minus infinity; divisor > 0.
constexpr int64_t FloorDivide(int64_t value, int64_t divisor) {
  const int64_t quotient = value / divisor;
  return quotient * divisor > value ? quotient - 1 : quotient;
}
constexpr int64_t FloorModulo(int64_t value, int64_t divisor) {
  const int64_t remainder = value % divisor;
  return remainder < 0 ? remainder + divisor : remainder;
}

// "yyyy-MM-dd", month and day with one or two digits.
std::optional<int64_t> ParseDate(std::string_view text);
// "HH:mm[:ss[.fraction]]" as microseconds since midnight.
std::optional<int64_t> ParseTimeOfDay(std::string_view text);
// "yyyy-MM-dd[ HH:mm[:ss[.fraction]]]"; the separator may be a blank or 'T'. Digits of the fraction
// beyond microseconds are dropped. A 'Z' at the end is not taken.
std::optional<int64_t> ParseTimestamp(std::string_view text);

std::string FormatDate(int64_t days);
// `precision` digits of the second's fraction, 0..6.
std::string FormatTimeOfDay(int64_t micros, int32_t precision);
// "yyyy-MM-dd HH:mm:ss[.fraction]" with `separator` in the middle.
std::string FormatTimestamp(int64_t micros, int32_t precision, char separator = ' ');
// Appends what FormatTimestamp gives.
void AppendTimestamp(std::string& to, int64_t micros, int32_t precision, char separator = ' ');

}  // namespace slipstream::sql
