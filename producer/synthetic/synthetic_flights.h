#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "producer/flights/flight_source.h"
#include "producer/synthetic/day_schedule.h"

namespace slipstream::producer::synthetic {

// SyntheticFlights: a year of flights nobody flew, in the shape and order of the real file: the
// 21 columns, times as 517.0, months in the order 1, 10, 11, 12, 2 … 9, each day's flights by
// actual departure with the cancelled ones last and without a schedule. So everything downstream
// is put to the same test with it as with the real data.
//
// Memory   one day's flights.
class SyntheticFlights final : public FlightSource {
 public:
  struct Options {
    uint64_t flights = 336'776;  // as many as the real file has
    uint64_t seed = 1;
    std::chrono::year year{2013};
  };
  static constexpr uint64_t kFlightsMax = 100'000'000;

  explicit SyntheticFlights(const Options& options);

  Result<bool> Next(Flight& flight) override;
  Status Rewind() override;

 private:
  bool StartNextDay();

  const Options options_;
  std::vector<std::chrono::year_month_day> days_;  // in the file's order
  std::vector<size_t> counts_;                     // flights of each
  size_t next_day_ = 0;
  std::vector<SyntheticFlight> flights_;
  size_t next_flight_ = 0;
  int64_t next_id_ = 0;
};

}  // namespace slipstream::producer::synthetic
