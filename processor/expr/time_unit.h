#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace slipstream::sql {

// The units of EXTRACT, FLOOR … TO, TIMESTAMPADD and TIMESTAMPDIFF.
enum class TimeUnit : uint8_t {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDayOfYear,     // EXTRACT only, as those below
  kDayOfWeek,     // 1 is Sunday
  kIsoDayOfWeek,  // 1 is Monday
  kEpoch,         // seconds since 1970
  kIsoYear,       // of the ISO week
  kDecade,        // 199 has 1990
  kCentury,       // 20 ends with 2000
  kMillennium,    // 2 ends with 2000
};

// By name in any case: "HOUR", "SQL_TSI_HOUR", "DOW".
std::optional<TimeUnit> ParseTimeUnit(std::string_view name);

// All over microseconds since 1970-01-01 00:00.
int64_t ExtractUnit(TimeUnit unit, int64_t micros);
// Of an interval of days and less, or of months: what its text has in the unit's place, negative in
// a negative interval. nullopt: such an interval has no such unit.
std::optional<int64_t> ExtractFromDayTime(TimeUnit unit, int64_t micros);
std::optional<int64_t> ExtractFromMonths(TimeUnit unit, int64_t months);
// The begin of the unit that `micros` lies in; weeks begin on Sunday. Units up to kYear.
int64_t FloorToUnit(TimeUnit unit, int64_t micros);
// The same, upwards: `micros` itself where it is a begin.
int64_t CeilToUnit(TimeUnit unit, int64_t micros);
// nullopt: out of range.
std::optional<int64_t> AddUnits(TimeUnit unit, int64_t count, int64_t micros);
// Whole units from `from` to `to`, towards zero.
int64_t UnitsBetween(TimeUnit unit, int64_t from, int64_t to);

}  // namespace slipstream::sql
