#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>

namespace slipstream::test_support {

// The figures by which a set of flights is known.
struct FlightFigures {
  struct Delays {
    int64_t present = 0;
    int64_t above_zero = 0;
    int64_t at_least_15 = 0;
    int min = 0;
    int max = 0;
    auto operator<=>(const Delays&) const = default;
  };
  int64_t flights = 0;
  int64_t cancelled = 0;               // no departure time
  int64_t departed_without_delay = 0;  // departed, no arrival delay
  Delays departure;
  Delays arrival;
  std::map<std::string, int64_t> by_origin;
  std::map<std::string, int64_t> by_carrier;

  auto operator<=>(const FlightFigures&) const = default;
};

// What is known from elsewhere of the flights that left New York in 2013; datasets/README.md says
// where the file comes from.
inline FlightFigures NycFigures() {
  return {.flights = 336'776,
          .cancelled = 8'255,
          .departed_without_delay = 1'175,
          .departure = {.present = 328'521,
                        .above_zero = 128'432,
                        .at_least_15 = 72'914,
                        .min = -43,
                        .max = 1'301},
          .arrival = {.present = 327'346,
                      .above_zero = 133'004,
                      .at_least_15 = 80'100,
                      .min = -86,
                      .max = 1'272},
          .by_origin = {{"EWR", 120'835}, {"JFK", 111'279}, {"LGA", 104'662}},
          .by_carrier = {{"UA", 58'665},
                         {"B6", 54'635},
                         {"EV", 54'173},
                         {"DL", 48'110},
                         {"AA", 32'729},
                         {"MQ", 26'397},
                         {"US", 20'536},
                         {"9E", 18'460},
                         {"WN", 12'275},
                         {"VX", 5'162},
                         {"FL", 3'260},
                         {"AS", 714},
                         {"F9", 685},
                         {"YV", 601},
                         {"HA", 342},
                         {"OO", 32}}};
}

}  // namespace slipstream::test_support
