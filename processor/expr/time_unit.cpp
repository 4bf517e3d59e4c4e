#include "processor/expr/time_unit.h"

#include <array>
#include <utility>

#include "processor/types/date_time.h"
#include "processor/types/number_text.h"

namespace slipstream::sql {
namespace {

// Microseconds of a unit of fixed length; 0 for months and what is counted in them.
int64_t MicrosOf(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMicrosecond:
      return 1;
    case TimeUnit::kMillisecond:
      return kMicrosPerMilli;
    case TimeUnit::kSecond:
      return kMicrosPerSecond;
    case TimeUnit::kMinute:
      return kMicrosPerMinute;
    case TimeUnit::kHour:
      return kMicrosPerHour;
    case TimeUnit::kDay:
      return kMicrosPerDay;
    case TimeUnit::kWeek:
      return 7 * kMicrosPerDay;
    default:
      return 0;
  }
}

int64_t MonthsOf(TimeUnit unit) {
  return unit == TimeUnit::kYear ? 12 : unit == TimeUnit::kQuarter ? 3 : 1;
}

// Thursday of the same ISO week decides which year the week belongs to.
int64_t IsoThursday(int64_t days) {
  const int64_t weekday = FloorModulo(days + 3, 7);  // 0 is Monday
  return days - weekday + 3;
}

int64_t IsoWeek(int64_t days) {
  const int64_t thursday = IsoThursday(days);
  const int64_t first = DaysFromCivil({.year = CivilFromDays(thursday).year});
  return (thursday - first) / 7 + 1;
}

int64_t AddMonths(int64_t micros, int64_t months) {
  return AddMonthsToDays(FloorDivide(micros, kMicrosPerDay), months) * kMicrosPerDay +
         FloorModulo(micros, kMicrosPerDay);
}

}  // namespace

std::optional<TimeUnit> ParseTimeUnit(std::string_view name) {
  constexpr std::string_view kPrefix = "SQL_TSI_";
  if (name.size() > kPrefix.size() && EqualsIgnoreCase(name.substr(0, kPrefix.size()), kPrefix)) {
    name.remove_prefix(kPrefix.size());
  }
  constexpr std::array<std::pair<std::string_view, TimeUnit>, 18> kNames = {{
      {"MICROSECOND", TimeUnit::kMicrosecond},
      {"MILLISECOND", TimeUnit::kMillisecond},
      {"SECOND", TimeUnit::kSecond},
      {"MINUTE", TimeUnit::kMinute},
      {"HOUR", TimeUnit::kHour},
      {"DAY", TimeUnit::kDay},
      {"WEEK", TimeUnit::kWeek},
      {"MONTH", TimeUnit::kMonth},
      {"QUARTER", TimeUnit::kQuarter},
      {"YEAR", TimeUnit::kYear},
      {"DOY", TimeUnit::kDayOfYear},
      {"DOW", TimeUnit::kDayOfWeek},
      {"ISODOW", TimeUnit::kIsoDayOfWeek},
      {"EPOCH", TimeUnit::kEpoch},
      {"ISOYEAR", TimeUnit::kIsoYear},
      {"DECADE", TimeUnit::kDecade},
      {"CENTURY", TimeUnit::kCentury},
      {"MILLENNIUM", TimeUnit::kMillennium},
  }};
  for (const auto& [unit_name, unit] : kNames) {
    if (EqualsIgnoreCase(name, unit_name)) return unit;
  }
  return std::nullopt;
}

int64_t ExtractUnit(TimeUnit unit, int64_t micros) {
  const int64_t days = FloorDivide(micros, kMicrosPerDay);
  const int64_t time = FloorModulo(micros, kMicrosPerDay);
  switch (unit) {
    case TimeUnit::kMicrosecond:
      return time % kMicrosPerSecond;
    case TimeUnit::kMillisecond:
      return time % kMicrosPerSecond / kMicrosPerMilli;
    case TimeUnit::kSecond:
      return time / kMicrosPerSecond % 60;
    case TimeUnit::kMinute:
      return time / kMicrosPerMinute % 60;
    case TimeUnit::kHour:
      return time / kMicrosPerHour;
    case TimeUnit::kDay:
      return CivilFromDays(days).day;
    case TimeUnit::kWeek:
      return IsoWeek(days);
    case TimeUnit::kMonth:
      return CivilFromDays(days).month;
    case TimeUnit::kQuarter:
      return (CivilFromDays(days).month + 2) / 3;
    case TimeUnit::kYear:
      return CivilFromDays(days).year;
    case TimeUnit::kDayOfYear:
      return days - DaysFromCivil({.year = CivilFromDays(days).year}) + 1;
    case TimeUnit::kDayOfWeek:
      return FloorModulo(days + 4, 7) + 1;
    case TimeUnit::kIsoDayOfWeek:
      return FloorModulo(days + 3, 7) + 1;
    case TimeUnit::kEpoch:
      return FloorDivide(micros, kMicrosPerSecond);
    case TimeUnit::kIsoYear:
      return CivilFromDays(IsoThursday(days)).year;
    case TimeUnit::kDecade:
      return FloorDivide(CivilFromDays(days).year, 10);
    case TimeUnit::kCentury:
      return FloorDivide(CivilFromDays(days).year + 99, 100);
    case TimeUnit::kMillennium:
      return FloorDivide(CivilFromDays(days).year + 999, 1000);
  }
  return 0;
}

std::optional<int64_t> ExtractFromDayTime(TimeUnit unit, int64_t micros) {
  switch (unit) {
    case TimeUnit::kMicrosecond:
    case TimeUnit::kMillisecond:
      return micros % kMicrosPerMinute / MicrosOf(unit);
    case TimeUnit::kSecond:
    case TimeUnit::kMinute:
      return micros / MicrosOf(unit) % 60;
    case TimeUnit::kHour:
      return micros / kMicrosPerHour % 24;
    case TimeUnit::kDay:
      return micros / kMicrosPerDay;
    case TimeUnit::kEpoch:
      return micros / kMicrosPerSecond;
    default:
      return std::nullopt;
  }
}

std::optional<int64_t> ExtractFromMonths(TimeUnit unit, int64_t months) {
  switch (unit) {
    case TimeUnit::kMonth:
      return months % 12;
    case TimeUnit::kQuarter:
      return months % 12 / 3 + 1;
    case TimeUnit::kYear:
      return months / 12;
    default:
      return std::nullopt;
  }
}

int64_t FloorToUnit(TimeUnit unit, int64_t micros) {
  if (unit == TimeUnit::kWeek) {
    const int64_t days = FloorDivide(micros, kMicrosPerDay);
    return (days - FloorModulo(days + 4, 7)) * kMicrosPerDay;
  }
  if (const int64_t length = MicrosOf(unit); length > 0) {
    return micros - FloorModulo(micros, length);
  }
  CivilDate date = CivilFromDays(FloorDivide(micros, kMicrosPerDay));
  date.day = 1;
  if (unit == TimeUnit::kQuarter) date.month = (date.month - 1) / 3 * 3 + 1;
  if (unit == TimeUnit::kYear) date.month = 1;
  return DaysFromCivil(date) * kMicrosPerDay;
}

int64_t CeilToUnit(TimeUnit unit, int64_t micros) {
  const int64_t floor = FloorToUnit(unit, micros);
  if (floor == micros) return micros;
  const int64_t length = MicrosOf(unit);
  return length > 0 ? floor + length : AddMonths(floor, MonthsOf(unit));
}

std::optional<int64_t> AddUnits(TimeUnit unit, int64_t count, int64_t micros) {
  constexpr int64_t kMonthsMax = int64_t{12} * 300'000;  // more than 64 bits of microseconds hold
  if (const int64_t length = MicrosOf(unit); length > 0) {
    int64_t step = 0;
    int64_t sum = 0;
    if (__builtin_mul_overflow(count, length, &step) ||
        __builtin_add_overflow(micros, step, &sum)) {
      return std::nullopt;
    }
    return sum;
  }
  if (count > kMonthsMax || count < -kMonthsMax) return std::nullopt;
  const int64_t months = count * MonthsOf(unit);
  const int64_t days = AddMonthsToDays(FloorDivide(micros, kMicrosPerDay), months);
  int64_t sum = 0;
  if (__builtin_mul_overflow(days, kMicrosPerDay, &sum) ||
      __builtin_add_overflow(sum, FloorModulo(micros, kMicrosPerDay), &sum)) {
    return std::nullopt;
  }
  return sum;
}

int64_t UnitsBetween(TimeUnit unit, int64_t from, int64_t to) {
  if (const int64_t length = MicrosOf(unit); length > 0) return (to - from) / length;
  const CivilDate start = CivilFromDays(FloorDivide(from, kMicrosPerDay));
  const CivilDate end = CivilFromDays(FloorDivide(to, kMicrosPerDay));
  int64_t months = (end.year - start.year) * 12 + end.month - start.month;
  // An unfinished month does not count.
  if (months > 0 && AddMonths(from, months) > to) --months;
  if (months < 0 && AddMonths(from, months) < to) ++months;
  return months / MonthsOf(unit);
}

}  // namespace slipstream::sql
