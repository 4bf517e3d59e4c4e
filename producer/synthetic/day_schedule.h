#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::producer::synthetic {

// A flight as it was planned and as it went. Times of day are minutes since midnight of the
// schedule's day, on the clocks of the place they belong to; beyond 1440 it is the next day.
struct SyntheticFlight {
  size_t carrier = 0;  // index into Carriers()
  size_t origin = 0;   // index into Airports()
  size_t dest = 0;
  int number = 0;
  int aircraft = 0;  // of the carrier's; together with the carrier it is the tail number
  bool has_tail_number = true;
  int distance_miles = 0;
  int scheduled_departure = 0;
  int scheduled_arrival = 0;
  bool is_cancelled = false;
  bool is_diverted = false;  // departed, and arrived somewhere else
  int departure_delay = 0;
  int arrival_delay = 0;
  int air_minutes = 0;
};

// The flights of one day: exactly `count`, aircraft by aircraft, each aircraft's in order. The
// same seed, date and count give the same flights, whatever other days were asked for.
//
// Model. An aircraft starts in the morning at one of its carrier's hubs and flies out and back
// until late evening. A leg leaves late for its own reasons (carrier, airport, hour, season, the
// day's weather) or because its aircraft was late; thunderstorms and snow close airports in for
// some hours, which delays and cancels. An outbound flight that is cancelled takes its return
// with it; after a cancelled return another aircraft takes over.
std::vector<SyntheticFlight> MakeDay(uint64_t seed, std::chrono::year_month_day date, size_t count);

}  // namespace slipstream::producer::synthetic
