#include "producer/synthetic/day_schedule.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "producer/synthetic/network.h"
#include "producer/synthetic/random.h"

namespace slipstream::producer::synthetic {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr int kLastDeparture = 22 * 60 + 45;
// How much busier and less punctual than the year's average a month is, in percent.
constexpr std::array<int, 12> kMonthDelay = {
    100, 105, 95, 100, 105, 135, 135, 105, 70, 75, 75, 130};

// The weather at one airport on one day: bad between two times (UTC), or not at all.
struct Weather {
  double severity = 0;
  int begin = 0;
  int end = 0;

  double At(int utc_minutes) const {
    return utc_minutes >= begin && utc_minutes < end ? severity : 0;
  }
};

// One day's dice and tables.
class Day final {
 public:
  Day(uint64_t seed, year_month_day date, size_t count);

  std::vector<SyntheticFlight> Make();

 private:
  struct Aircraft {
    size_t carrier = 0;
    size_t base = 0;
    int index = 0;
    size_t place = 0;
    int ready = 0;  // UTC, when it can leave as planned
    int free = 0;   // UTC, when it can leave as things went
    bool skips_leg = false;
  };

  void MakeWeather();
  Aircraft NextAircraft();
  void FlyDay(Aircraft aircraft);
  // Plans the next leg; false if it would be too late in the day.
  bool Plan(Aircraft& aircraft, SyntheticFlight& leg);
  // Decides how it went and where that leaves the aircraft.
  void Fly(Aircraft& aircraft, SyntheticFlight& leg);
  bool IsCancelled(const Aircraft& aircraft, const SyntheticFlight& leg, int departure);
  int DrawDepartureDelay(const SyntheticFlight& leg, int departure, int aircraft_late);
  size_t PickDestination(const Aircraft& aircraft);
  int RoundMinutes(int minutes);
  int AirMinutes(const SyntheticFlight& leg) const;

  int ToUtc(size_t airport, int local) const { return local - offsets_[airport]; }
  int ToLocal(size_t airport, int utc) const { return utc + offsets_[airport]; }

  const std::span<const Airport> airports_ = Airports();
  const std::span<const Carrier> carriers_ = Carriers();
  const size_t count_;
  const unsigned month_;
  Random random_;
  std::vector<int> offsets_;  // minutes from UTC, by airport
  std::vector<Weather> weather_;
  std::vector<int> aircraft_count_;  // by carrier
  std::vector<SyntheticFlight> flights_;
};

uint64_t DayNumber(year_month_day date) {
  return static_cast<uint64_t>(sys_days(date).time_since_epoch().count() + 1'000'000);
}

Day::Day(uint64_t seed, year_month_day date, size_t count)
    : count_(count),
      month_(static_cast<unsigned>(date.month())),
      random_(seed, DayNumber(date)),
      aircraft_count_(carriers_.size(), 0) {
  for (const Airport& airport : airports_) {
    offsets_.push_back(static_cast<int>(UtcOffset(airport, date).count()));
  }
  flights_.reserve(count);
}

void Day::MakeWeather() {
  const bool is_winter = month_ <= 3 || month_ == 12;
  const bool is_summer = month_ >= 5 && month_ <= 8;
  for (size_t i = 0; i < airports_.size(); ++i) {
    int percent = is_winter   ? airports_[i].winter_percent
                  : is_summer ? airports_[i].summer_percent
                              : 40;
    Weather weather;
    bool is_bad = random_.Chance(0.001 * percent);
    double severity = std::min(1.6, 0.25 + random_.Exponential(0.35));
    int begin = ToUtc(i, is_summer ? 12 * 60 : 4 * 60) + random_.Below(8 * 60);
    int length = 2 * 60 + random_.Below(is_summer ? 5 * 60 : 12 * 60);
    if (is_bad) weather = {severity, begin, begin + length};
    weather_.push_back(weather);
  }
}

std::vector<SyntheticFlight> Day::Make() {
  MakeWeather();
  while (flights_.size() < count_)
    FlyDay(NextAircraft());
  return std::move(flights_);
}

Day::Aircraft Day::NextAircraft() {
  int total = 0;
  for (const Carrier& carrier : carriers_)
    total += carrier.share;
  int draw = random_.Below(total);
  size_t carrier = 0;
  while (draw >= carriers_[carrier].share)
    draw -= carriers_[carrier++].share;

  const auto& hubs = carriers_[carrier].hubs;
  auto hub_count = static_cast<int>(
      std::count_if(hubs.begin(), hubs.end(), [](std::string_view hub) { return !hub.empty(); }));
  int index = aircraft_count_[carrier]++;
  // An aircraft is based at the same hub every day. Busier hubs have more of them.
  Random base_dice(static_cast<uint64_t>(index), carrier);
  int base = std::min(base_dice.Below(hub_count), base_dice.Below(hub_count));
  size_t airport = AirportIndex(hubs[static_cast<size_t>(base)]);
  int start =
      random_.Chance(0.6) ? 5 * 60 + 30 + random_.Below(3 * 60) : 8 * 60 + random_.Below(6 * 60);
  int utc = ToUtc(airport, start);
  return {.carrier = carrier,
          .base = airport,
          .index = index,
          .place = airport,
          .ready = utc,
          .free = utc};
}

void Day::FlyDay(Aircraft aircraft) {
  SyntheticFlight leg{};
  while (flights_.size() < count_ && Plan(aircraft, leg)) {
    Fly(aircraft, leg);
    flights_.push_back(leg);
  }
}

size_t Day::PickDestination(const Aircraft& aircraft) {
  if (aircraft.place != aircraft.base) return aircraft.base;
  const Carrier& carrier = carriers_[aircraft.carrier];
  std::array<int, 64> weights{};
  int total = 0;
  for (size_t i = 0; i < airports_.size(); ++i) {
    int miles = DistanceMiles(aircraft.base, i);
    if (miles < 90 || miles > carrier.stage_miles_max) continue;
    // Long flights are rarer than short ones, the more so for regional carriers.
    int weight = airports_[i].size * 1000 / (miles + (carrier.is_regional ? 100 : 900)) + 1;
    weights[i] = weight;
    total += weight;
  }
  int draw = random_.Below(total);
  size_t dest = 0;
  while (draw >= weights[dest])
    draw -= weights[dest++];
  return dest;
}

// Timetables like full five minutes.
int Day::RoundMinutes(int minutes) {
  return random_.Chance(0.75) ? (minutes + 4) / 5 * 5 : minutes;
}

int Day::AirMinutes(const SyntheticFlight& leg) const {
  // The wind blows from the west.
  double eastward = airports_[leg.dest].longitude - airports_[leg.origin].longitude;
  return static_cast<int>(std::lround(18 + leg.distance_miles / 7.8 - eastward * 0.45));
}

bool Day::Plan(Aircraft& aircraft, SyntheticFlight& leg) {
  constexpr int kGroundMinutes = 24;  // from gate to runway and from runway to gate
  constexpr int kReserveMinutes = 7;
  const Carrier& carrier = carriers_[aircraft.carrier];
  leg = {};
  leg.carrier = aircraft.carrier;
  leg.origin = aircraft.place;
  leg.aircraft = aircraft.index;
  leg.scheduled_departure = RoundMinutes(ToLocal(leg.origin, aircraft.ready));
  if (leg.scheduled_departure > kLastDeparture) return false;
  leg.dest = PickDestination(aircraft);
  leg.distance_miles = DistanceMiles(leg.origin, leg.dest);
  int block = AirMinutes(leg) + kGroundMinutes + kReserveMinutes;
  int departure = ToUtc(leg.origin, leg.scheduled_departure);
  leg.scheduled_arrival = ToLocal(leg.dest, departure + block);
  // A connection at a time of day has the same number every day.
  uint64_t connection =
      (leg.origin * 64 + leg.dest) * 24 + static_cast<uint64_t>(leg.scheduled_departure / 60);
  int first_number = carrier.is_regional ? 3000 : 1;
  leg.number = first_number + Random(connection, leg.carrier).Below(2600);
  int turnaround = carrier.is_regional ? 30 + random_.Below(30) : 40 + random_.Below(40);
  aircraft.ready = departure + block + turnaround;
  return true;
}

bool Day::IsCancelled(const Aircraft& aircraft, const SyntheticFlight& leg, int departure) {
  if (aircraft.skips_leg) return true;
  int arrival = ToUtc(leg.dest, leg.scheduled_arrival);
  double severity = std::max(weather_[leg.origin].At(departure), weather_[leg.dest].At(arrival));
  double regional = carriers_[leg.carrier].is_regional ? 1.5 : 0.8;
  bool is_too_late = aircraft.free - departure > 4 * 60;
  return random_.Chance(regional * (0.009 + 0.22 * severity) + (is_too_late ? 0.4 : 0));
}

int Day::DrawDepartureDelay(const SyntheticFlight& leg, int departure, int aircraft_late) {
  // Airports fill up during the day.
  double hour = std::clamp(leg.scheduled_departure / 60.0, 6.0, 20.0);
  double temper = carriers_[leg.carrier].delay_percent / 100.0 *
                  (airports_[leg.origin].delay_percent / 100.0) *
                  (kMonthDelay[month_ - 1] / 100.0) * (0.45 + (hour - 6.0) * 0.075) *
                  (1.0 + 2.5 * weather_[leg.origin].At(departure));
  double own = -random_.Unit() * 5 - random_.Unit() * 5;
  if (random_.Chance(std::min(0.85, 0.24 * temper))) {
    own = 1 + random_.Exponential(20 * std::sqrt(temper));
    if (random_.Chance(0.045)) own += random_.Exponential(100);
  }
  double delay = own;
  if (aircraft_late > own) delay = aircraft_late + (own > 0 ? own / 3 : random_.Unit() * 4);
  return static_cast<int>(std::lround(std::min(delay, 1300.0)));
}

void Day::Fly(Aircraft& aircraft, SyntheticFlight& leg) {
  int departure = ToUtc(leg.origin, leg.scheduled_departure);
  int arrival = ToUtc(leg.dest, leg.scheduled_arrival);
  bool is_outbound = leg.origin == aircraft.base;
  int turnaround = carriers_[leg.carrier].is_regional ? 25 : 33;
  if (IsCancelled(aircraft, leg, departure)) {
    leg.is_cancelled = true;
    leg.has_tail_number = !random_.Chance(0.3);
    if (!is_outbound && !aircraft.skips_leg) aircraft.index = aircraft_count_[leg.carrier]++;
    aircraft.skips_leg = is_outbound;
    aircraft.free = arrival + turnaround;
  } else {
    leg.departure_delay = DrawDepartureDelay(leg, departure, aircraft.free - departure);
    int air = AirMinutes(leg);
    leg.air_minutes =
        std::max(15, air + static_cast<int>(std::lround(random_.Bell(4 + air / 40.0))));
    double taxi = random_.Exponential(6) - 4 + 12 * weather_[leg.dest].At(arrival);
    // The schedule's reserve, and what pilots make up of a late start.
    double made_up = 7 + std::min(10.0, std::max(0, leg.departure_delay) * 0.08);
    leg.arrival_delay =
        leg.departure_delay + leg.air_minutes - air + static_cast<int>(std::lround(taxi - made_up));
    leg.is_diverted = random_.Chance(0.002 + 0.012 * weather_[leg.dest].At(arrival));
    int late = leg.arrival_delay + (leg.is_diverted ? 150 : 0);
    aircraft.free = arrival + late + turnaround;
  }
  aircraft.place = leg.dest;
}

}  // namespace

std::vector<SyntheticFlight> MakeDay(uint64_t seed, year_month_day date, size_t count) {
  return Day(seed, date, count).Make();
}

}  // namespace slipstream::producer::synthetic
