#include "producer/synthetic/network.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>

#include "common/check/check.h"

namespace slipstream::producer::synthetic {
namespace {

constexpr Airport kAirports[] = {
    {"ATL", 33.64, -84.43, -5, true, 380, 95, 70, 150},
    {"AUS", 30.19, -97.67, -6, true, 42, 85, 50, 110},
    {"BNA", 36.12, -86.68, -6, true, 55, 90, 90, 110},
    {"BOS", 42.36, -71.01, -5, true, 115, 105, 170, 80},
    {"BWI", 39.18, -76.67, -5, true, 100, 105, 120, 100},
    {"CLE", 41.41, -81.85, -5, true, 45, 95, 140, 80},
    {"CLT", 35.21, -80.94, -5, true, 130, 90, 70, 120},
    {"CMH", 40.00, -82.89, -5, true, 32, 90, 110, 80},
    {"DCA", 38.85, -77.04, -5, true, 85, 90, 110, 110},
    {"DEN", 39.86, -104.67, -7, true, 225, 105, 150, 110},
    {"DFW", 32.90, -97.04, -6, true, 270, 105, 90, 130},
    {"DTW", 42.21, -83.35, -5, true, 140, 95, 150, 80},
    {"EWR", 40.69, -74.17, -5, true, 118, 140, 140, 140},
    {"FLL", 26.07, -80.15, -5, true, 72, 105, 10, 140},
    {"HNL", 21.32, -157.92, -10, false, 48, 55, 5, 10},
    {"IAD", 38.95, -77.46, -5, true, 70, 110, 120, 110},
    {"IAH", 29.98, -95.34, -6, true, 175, 105, 40, 140},
    {"IND", 39.72, -86.29, -5, true, 36, 90, 110, 80},
    {"JFK", 40.64, -73.78, -5, true, 100, 115, 140, 130},
    {"LAS", 36.08, -115.15, -8, true, 140, 95, 20, 40},
    {"LAX", 33.94, -118.41, -8, true, 220, 95, 20, 10},
    {"LGA", 40.78, -73.87, -5, true, 108, 120, 140, 140},
    {"MCI", 39.30, -94.71, -6, true, 45, 90, 120, 90},
    {"MCO", 28.43, -81.31, -5, true, 118, 95, 10, 150},
    {"MDW", 41.79, -87.75, -6, true, 85, 125, 160, 110},
    {"MIA", 25.79, -80.29, -5, true, 85, 105, 10, 140},
    {"MSP", 44.88, -93.22, -6, true, 130, 85, 170, 70},
    {"MSY", 29.99, -90.26, -6, true, 42, 90, 30, 140},
    {"ORD", 41.98, -87.90, -6, true, 300, 130, 180, 120},
    {"PDX", 45.59, -122.60, -8, true, 50, 75, 60, 10},
    {"PHL", 39.87, -75.24, -5, true, 85, 110, 130, 120},
    {"PHX", 33.43, -112.01, -7, false, 170, 85, 5, 50},
    {"RDU", 35.88, -78.79, -5, true, 42, 95, 60, 110},
    {"SAN", 32.73, -117.19, -8, true, 80, 85, 20, 10},
    {"SEA", 47.45, -122.31, -8, true, 105, 75, 70, 10},
    {"SFO", 37.62, -122.37, -8, true, 160, 125, 90, 20},
    {"SJC", 37.36, -121.93, -8, true, 42, 75, 30, 10},
    {"SLC", 40.79, -111.98, -7, true, 105, 75, 110, 40},
    {"STL", 38.75, -90.37, -6, true, 55, 95, 110, 110},
    {"TPA", 27.98, -82.53, -5, true, 65, 90, 10, 140},
};

constexpr Carrier kCarriers[] = {
    {"WN", "SW", {"MDW", "BWI", "LAS", "PHX", "DEN", "DFW"}, 180, 112, 2400, false},
    {"DL", "DL", {"ATL", "DTW", "MSP", "SLC", "JFK", "LGA"}, 125, 75, 2800, false},
    {"EV", "EV", {"IAH", "EWR", "ORD", "ATL", "CLE", "DEN"}, 110, 135, 1100, true},
    {"OO", "SK", {"SLC", "DEN", "SFO", "ORD", "LAX", "MSP"}, 95, 105, 1200, true},
    {"AA", "AA", {"DFW", "MIA", "ORD", "LAX", "JFK", ""}, 90, 108, 2900, false},
    {"UA", "UA", {"IAH", "ORD", "DEN", "SFO", "EWR", "IAD"}, 88, 105, 2900, false},
    {"US", "US", {"CLT", "PHL", "PHX", "DCA", "", ""}, 70, 80, 2900, false},
    {"MQ", "MQ", {"DFW", "ORD", "LGA", "", "", ""}, 65, 122, 1000, true},
    {"B6", "JB", {"JFK", "BOS", "MCO", "FLL", "", ""}, 45, 115, 2700, false},
    {"9E", "XJ", {"DTW", "MSP", "JFK", "ATL", "", ""}, 42, 112, 1100, true},
    {"AS", "AS", {"SEA", "PDX", "", "", "", ""}, 28, 55, 2800, false},
    {"YV", "YV", {"PHX", "IAD", "CLT", "", "", ""}, 22, 105, 1000, true},
    {"FL", "AT", {"ATL", "MCO", "BWI", "", "", ""}, 20, 95, 2200, false},
    {"F9", "FR", {"DEN", "", "", "", "", ""}, 13, 118, 2000, false},
    {"VX", "VA", {"SFO", "LAX", "", "", "", ""}, 10, 105, 2700, false},
    {"HA", "HA", {"HNL", "", "", "", "", ""}, 7, 40, 3000, false},
};

int GreatCircleMiles(const Airport& a, const Airport& b) {
  constexpr double kEarthRadiusMiles = 3958.76;
  constexpr double kDegree = std::numbers::pi / 180;
  double half_latitude = (b.latitude - a.latitude) * kDegree / 2;
  double half_longitude = (b.longitude - a.longitude) * kDegree / 2;
  double haversine = std::sin(half_latitude) * std::sin(half_latitude) +
                     std::cos(a.latitude * kDegree) * std::cos(b.latitude * kDegree) *
                         std::sin(half_longitude) * std::sin(half_longitude);
  return static_cast<int>(std::lround(2 * kEarthRadiusMiles * std::asin(std::sqrt(haversine))));
}

using DistanceTable = std::array<std::array<int, std::size(kAirports)>, std::size(kAirports)>;

DistanceTable MakeDistanceTable() {
  DistanceTable table{};
  for (size_t a = 0; a < table.size(); ++a) {
    for (size_t b = 0; b < table.size(); ++b) {
      table[a][b] = GreatCircleMiles(kAirports[a], kAirports[b]);
    }
  }
  return table;
}

}  // namespace

std::span<const Airport> Airports() {
  return kAirports;
}
std::span<const Carrier> Carriers() {
  return kCarriers;
}

size_t AirportIndex(std::string_view code) {
  const auto* found = std::find_if(std::begin(kAirports),
                                   std::end(kAirports),
                                   [code](const Airport& airport) { return airport.code == code; });
  SLIPSTREAM_CHECK(found != std::end(kAirports), "airport={}", code);
  return static_cast<size_t>(found - std::begin(kAirports));
}

int DistanceMiles(size_t a, size_t b) {
  static const DistanceTable table = MakeDistanceTable();
  return table[a][b];
}

std::chrono::minutes UtcOffset(const Airport& airport, std::chrono::year_month_day date) {
  using std::chrono::March;
  using std::chrono::November;
  using std::chrono::Sunday;
  using std::chrono::sys_days;
  std::chrono::hours offset(airport.standard_offset_hours);
  sys_days begin = sys_days(date.year() / March / Sunday[2]);
  sys_days end = sys_days(date.year() / November / Sunday[1]);
  bool is_summer = sys_days(date) >= begin && sys_days(date) < end;
  return airport.has_summer_time && is_summer ? offset + std::chrono::hours(1) : offset;
}

}  // namespace slipstream::producer::synthetic
