#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

// The airports and airlines that synthetic flights use: real ones of the United States in 2013,
// with sizes and tempers close to theirs.

namespace slipstream::producer::synthetic {

struct Airport {
  std::string_view code;
  double latitude;
  double longitude;
  int standard_offset_hours;  // from UTC
  bool has_summer_time;
  int size;            // departures, relative to the others
  int delay_percent;   // how much later than the average flights leave: 100 is the average
  int winter_percent;  // how likely a winter's day is a bad one: 100 is the average
  int summer_percent;  // likewise with thunderstorms in summer
};

inline constexpr size_t kHubsMax = 6;

struct Carrier {
  std::string_view code;
  std::string_view tail_suffix;
  std::array<std::string_view, kHubsMax> hubs;  // the busiest first; empty at the end
  int share;                                    // of all aircraft in the air, relative
  int delay_percent;
  int stage_miles_max;
  bool is_regional;  // short flights, quick turnarounds
};

std::span<const Airport> Airports();
std::span<const Carrier> Carriers();
// The airport's index, which must exist.
size_t AirportIndex(std::string_view code);

// Great-circle distance in statute miles, rounded, between two airports by index.
int DistanceMiles(size_t a, size_t b);

// What the airport's clocks show minus UTC on that day (from the morning on, where they change).
std::chrono::minutes UtcOffset(const Airport& airport, std::chrono::year_month_day date);

}  // namespace slipstream::producer::synthetic
