#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "tests/support/flight_figures.h"

// What the jobs over flights must come to, computed from the CSV file by code of the tests' own:
// simple, slow, and sharing nothing with the producer or the processor.

namespace slipstream::test_support {

// The 21 fields of a flight as the file has them; empty where it says that one is missing. Views
// into the FlightTruth.
struct FlightRow {
  static constexpr size_t kFieldCount = 21;
  static const std::array<std::string_view, kFieldCount> kNames;

  std::array<std::string_view, kFieldCount> fields;

  // The field's text; empty if missing.
  std::string_view Text(std::string_view name) const;
  // The field's whole number ("517.0" is 517); none if missing.
  std::optional<int> Number(std::string_view name) const;
  // Minutes from 1970 to the scheduled departure, local to the origin; to the beginning of the day
  // where the schedule is missing.
  int64_t EventMinute() const;
};

// A row of flights_delays.
struct DelayRow {
  std::string window_start;  // "2013-01-01 05:00:00"
  std::string window_end;
  std::string origin;
  std::string carrier;
  int64_t delayed_flights = 0;
  double avg_arr_delay = 0;
  int max_arr_delay = 0;

  auto operator<=>(const DelayRow&) const = default;
};
std::ostream& operator<<(std::ostream& out, const DelayRow& row);

// A row of carrier_report.
struct CarrierRow {
  std::string carrier;
  int64_t flights = 0;
  std::optional<double> avg_dep_delay;
  std::optional<double> avg_arr_delay;
  std::optional<double> avg_air_time;
  std::optional<double> score;

  auto operator<=>(const CarrierRow&) const = default;
};
std::ostream& operator<<(std::ostream& out, const CarrierRow& row);

// FlightTruth: one CSV file with the 21 columns, and every table computed from it.
class FlightTruth final {
 public:
  // A plain file, or a .zst one.
  static Result<FlightTruth> Read(const std::filesystem::path& path);

  const std::vector<FlightRow>& rows() const { return rows_; }
  FlightFigures Figures() const;
  // Sorted.
  std::vector<DelayRow> Delays() const;
  std::vector<CarrierRow> Carriers() const;

 private:
  // On the heap, so that the rows' views stay good when this is moved.
  std::vector<char> text_;
  std::vector<FlightRow> rows_;
};

// "2013-01-01 05:15:00".
std::string MinuteText(int64_t minutes_since_1970);

}  // namespace slipstream::test_support
