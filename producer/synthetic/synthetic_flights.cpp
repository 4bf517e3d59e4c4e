#include "producer/synthetic/synthetic_flights.h"

#include <algorithm>
#include <array>
#include <tuple>

#include <fmt/compile.h>
#include <fmt/format.h>

#include "producer/flights/carriers.h"
#include "producer/flights/schedule.h"
#include "producer/synthetic/network.h"

namespace slipstream::producer::synthetic {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr int kMinutesPerDay = 24 * 60;
constexpr std::array<unsigned, 12> kMonthOrder = {1, 10, 11, 12, 2, 3, 4, 5, 6, 7, 8, 9};
// How many flights a month and a weekday (from Sunday) have, relative to the others.
constexpr std::array<uint64_t, 12> kMonthWeight = {
    93, 93, 100, 100, 101, 103, 106, 105, 97, 101, 96, 97};
constexpr std::array<uint64_t, 7> kWeekdayWeight = {95, 103, 102, 102, 103, 103, 80};

uint64_t Weight(year_month_day date) {
  unsigned weekday = std::chrono::weekday(sys_days(date)).c_encoding();
  return kMonthWeight[static_cast<unsigned>(date.month()) - 1] * kWeekdayWeight[weekday];
}

// Hours and minutes as a file has them; midnight is the end of the day.
int ClockTime(int minutes) {
  int of_day = (minutes % kMinutesPerDay + kMinutesPerDay) % kMinutesPerDay;
  return ToHourMinute(of_day == 0 ? kMinutesPerDay : of_day);
}

int DepartureClock(const SyntheticFlight& flight) {
  return ClockTime(flight.scheduled_departure + flight.departure_delay);
}

void SetFloat(Flight& flight, Field field, int value) {
  std::array<char, 16> text{};
  char* end = fmt::format_to(text.data(), FMT_COMPILE("{}.0"), value);
  flight.SetCopy(field, {text.data(), static_cast<size_t>(end - text.data())});
}

void SetTailNumber(const SyntheticFlight& from, Flight& flight) {
  std::array<char, 16> text{};
  char* end = fmt::format_to(
      text.data(), FMT_COMPILE("N{}{}"), 101 + from.aircraft, Carriers()[from.carrier].tail_suffix);
  flight.SetCopy(Field::kTailnum, {text.data(), static_cast<size_t>(end - text.data())});
}

void SetTimes(const SyntheticFlight& from, Flight& flight) {
  SetFloat(flight, Field::kDepTime, DepartureClock(from));
  flight.SetInteger(Field::kSchedDepTime, ToHourMinute(from.scheduled_departure));
  SetFloat(flight, Field::kDepDelay, from.departure_delay);
  SetFloat(flight, Field::kArrTime, ClockTime(from.scheduled_arrival + from.arrival_delay));
  if (from.is_diverted) return;
  flight.SetInteger(Field::kSchedArrTime, ClockTime(from.scheduled_arrival));
  SetFloat(flight, Field::kArrDelay, from.arrival_delay);
  SetFloat(flight, Field::kAirTime, from.air_minutes);
}

}  // namespace

SyntheticFlights::SyntheticFlights(const Options& options) : options_(options) {
  for (unsigned month : kMonthOrder) {
    auto first = options_.year / std::chrono::month(month) / 1;
    auto last = sys_days(options_.year / std::chrono::month(month) / std::chrono::last);
    for (sys_days day = first; day <= last; day += days(1))
      days_.emplace_back(day);
  }
  uint64_t total = 0;
  for (year_month_day date : days_)
    total += Weight(date);
  // Rounded so that every day's share is right to one flight and the sum is exact.
  uint64_t weight = 0;
  uint64_t given = 0;
  for (year_month_day date : days_) {
    weight += Weight(date);
    uint64_t until = options_.flights * weight / total;
    counts_.push_back(until - given);
    given = until;
  }
}

bool SyntheticFlights::StartNextDay() {
  if (next_day_ == days_.size()) return false;
  flights_ = MakeDay(options_.seed, days_[next_day_], counts_[next_day_]);
  std::stable_sort(
      flights_.begin(), flights_.end(), [](const SyntheticFlight& a, const SyntheticFlight& b) {
        return std::tuple(a.is_cancelled, a.is_cancelled ? 0 : DepartureClock(a)) <
               std::tuple(b.is_cancelled, b.is_cancelled ? 0 : DepartureClock(b));
      });
  next_flight_ = 0;
  ++next_day_;
  return true;
}

Result<bool> SyntheticFlights::Next(Flight& flight) {
  while (next_flight_ == flights_.size()) {
    if (!StartNextDay()) return false;
  }
  const SyntheticFlight& from = flights_[next_flight_++];
  const year_month_day date = days_[next_day_ - 1];
  flight.Clear();
  flight.SetInteger(Field::kId, next_id_++);
  flight.SetInteger(Field::kYear, static_cast<int>(date.year()));
  flight.SetInteger(Field::kMonth, static_cast<unsigned>(date.month()));
  flight.SetInteger(Field::kDay, static_cast<unsigned>(date.day()));
  flight.Set(Field::kCarrier, Carriers()[from.carrier].code);
  flight.SetInteger(Field::kFlight, from.number);
  if (from.has_tail_number) SetTailNumber(from, flight);
  flight.Set(Field::kOrigin, Airports()[from.origin].code);
  flight.Set(Field::kDest, Airports()[from.dest].code);
  flight.SetInteger(Field::kDistance, from.distance_miles);
  flight.Set(Field::kName, CarrierName(Carriers()[from.carrier].code));
  if (!from.is_cancelled) SetTimes(from, flight);
  RETURN_IF_ERROR(SetSchedule(flight));
  return true;
}

Status SyntheticFlights::Rewind() {
  next_day_ = 0;
  flights_.clear();
  next_flight_ = 0;
  next_id_ = 0;
  return {};
}

}  // namespace slipstream::producer::synthetic
