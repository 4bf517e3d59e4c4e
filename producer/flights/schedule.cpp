#include "producer/flights/schedule.h"

#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace slipstream::producer {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::year_month_day;

constexpr int kMinutesPerDay = 24 * 60;
constexpr int64_t kYearMin = 1900;
constexpr int64_t kYearMax = 2999;

void SetTimeHour(Flight& flight, const year_month_day& date, int hour) {
  // As fmt would write "{:04}-{:02}-{:02} {:02}:00:00", at a fraction of the cost: this is on the
  // path of every row of most layouts.
  std::array<char, 19> text = {'0',
                               '0',
                               '0',
                               '0',
                               '-',
                               '0',
                               '0',
                               '-',
                               '0',
                               '0',
                               ' ',
                               '0',
                               '0',
                               ':',
                               '0',
                               '0',
                               ':',
                               '0',
                               '0'};
  auto put = [&text](size_t last, unsigned value) {
    for (size_t i = last; value > 0; --i, value /= 10)
      text[i] = static_cast<char>('0' + value % 10);
  };
  put(3, static_cast<unsigned>(static_cast<int>(date.year())));
  put(6, static_cast<unsigned>(date.month()));
  put(9, static_cast<unsigned>(date.day()));
  put(12, static_cast<unsigned>(hour));
  flight.SetCopy(Field::kTimeHour, {text.data(), text.size()});
}

void RotateClock(Flight& flight, Field field, minutes by) {
  std::optional<int> time = ParseHourMinute(flight.Get(field));
  if (!time) return;
  int64_t moved = (*time + by.count()) % kMinutesPerDay;
  if (moved < 0) moved += kMinutesPerDay;
  flight.SetInteger(field, ToHourMinute(static_cast<int>(moved)));
}

}  // namespace

std::optional<int> ParseHourMinute(std::string_view text) {
  constexpr int64_t kMax = 4759;
  std::optional<int64_t> value = ParseInteger(text);
  if (!value || *value < 0 || *value > kMax || *value % 100 >= 60) return std::nullopt;
  return static_cast<int>(*value / 100 * 60 + *value % 100);
}

int ToHourMinute(int minutes) {
  return minutes / 60 * 100 + minutes % 60;
}

Status SetSchedule(Flight& flight) {
  std::optional<int64_t> year = ParseInteger(flight.Get(Field::kYear));
  std::optional<int64_t> month = ParseInteger(flight.Get(Field::kMonth));
  std::optional<int64_t> day = ParseInteger(flight.Get(Field::kDay));
  if (!year || !month || !day || *year < kYearMin || *year > kYearMax || *month < 1 ||
      *month > 12 || *day < 1 || *day > 31) {
    return InvalidArgument("year, month and day are not a date");
  }
  year_month_day date(std::chrono::year(static_cast<int>(*year)),
                      std::chrono::month(static_cast<unsigned>(*month)),
                      std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return InvalidArgument("year, month and day are not a date");
  local_days midnight(date);
  if (!flight.Has(Field::kSchedDepTime)) {
    flight.set_event_time(midnight);
    return {};
  }
  std::optional<int> schedule = ParseHourMinute(flight.Get(Field::kSchedDepTime));
  if (!schedule || *schedule > kMinutesPerDay) {
    return InvalidArgument("sched_dep_time is not a time of day");
  }
  flight.set_event_time(midnight + minutes(*schedule));
  int minute_of_day = *schedule % kMinutesPerDay;
  if (!flight.Has(Field::kHour)) flight.SetInteger(Field::kHour, minute_of_day / 60);
  if (!flight.Has(Field::kMinute)) flight.SetInteger(Field::kMinute, minute_of_day % 60);
  if (!flight.Has(Field::kTimeHour)) {
    if (*schedule == kMinutesPerDay) date = year_month_day(midnight + days(1));
    SetTimeHour(flight, date, minute_of_day / 60);
  }
  return {};
}

void Shift(Flight& flight, minutes by) {
  if (by == minutes(0)) return;
  const EventTime moved = flight.event_time() + by;
  const bool whole_days = by % days(1) == minutes(0);
  local_days midnight = std::chrono::floor<days>(moved);
  if (!whole_days) {
    for (Field field : {Field::kDepTime, Field::kArrTime, Field::kSchedArrTime}) {
      RotateClock(flight, field, by);
    }
    auto minute_of_day = std::chrono::duration_cast<minutes>(moved - midnight).count();
    flight.SetInteger(Field::kSchedDepTime, ToHourMinute(static_cast<int>(minute_of_day)));
  } else if (ParseInteger(flight.Get(Field::kSchedDepTime)) == 2400) {
    midnight -= days(1);  // the end of the day before, as the file has it
  }
  year_month_day date(midnight);
  flight.SetInteger(Field::kYear, static_cast<int>(date.year()));
  flight.SetInteger(Field::kMonth, static_cast<unsigned>(date.month()));
  flight.SetInteger(Field::kDay, static_cast<unsigned>(date.day()));
  for (Field field : {Field::kHour, Field::kMinute, Field::kTimeHour})
    flight.SetMissing(field);
  // Cannot fail: date and schedule were just written, or have been read before.
  (void)SetSchedule(flight);
}

}  // namespace slipstream::producer
