#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "producer/csv/rejected_rows.h"
#include "producer/flights/csv_flights.h"
#include "producer/flights/flight_replay.h"
#include "producer/sensors/weather_replay.h"
#include "tests/support/assert_ok.h"
#include "tests/support/flight_figures.h"

// Over real files, in the folder that SLIPSTREAM_DATASETS names: the figures their publishers'
// own tools give.

namespace slipstream::producer {
namespace {

using test_support::FlightFigures;

std::filesystem::path Dataset(const std::string& name) {
  const char* folder = std::getenv("SLIPSTREAM_DATASETS");
  return folder == nullptr ? std::filesystem::path() : std::filesystem::path(folder) / name;
}

#define SKIP_WITHOUT_DATASETS()                                            \
  if (std::getenv("SLIPSTREAM_DATASETS") == nullptr) {                     \
    GTEST_SKIP() << "SLIPSTREAM_DATASETS names no folder with real files"; \
  }

void Add(std::optional<int64_t> minutes, FlightFigures::Delays& to) {
  if (!minutes) return;
  const int delay = static_cast<int>(*minutes);
  to.min = to.present == 0 ? delay : std::min(to.min, delay);
  to.max = to.present == 0 ? delay : std::max(to.max, delay);
  ++to.present;
  to.above_zero += delay > 0 ? 1 : 0;
  to.at_least_15 += delay >= 15 ? 1 : 0;
}

struct Counted {
  FlightFigures figures;
  int64_t without_schedule = 0;
};

Counted Count(FlightSource& source) {
  Counted counted;
  FlightFigures& figures = counted.figures;
  Flight flight;
  while (true) {
    Result<bool> more = source.Next(flight);
    EXPECT_OK(more);
    if (!more.ok() || !*more) return counted;
    ++figures.flights;
    std::optional<int64_t> arrival = ParseInteger(flight.Get(Field::kArrDelay));
    bool departed = flight.Has(Field::kDepTime);
    figures.cancelled += departed ? 0 : 1;
    figures.departed_without_delay += departed && !arrival ? 1 : 0;
    counted.without_schedule += flight.Has(Field::kSchedDepTime) ? 0 : 1;
    Add(ParseInteger(flight.Get(Field::kDepDelay)), figures.departure);
    Add(arrival, figures.arrival);
    ++figures.by_origin[std::string(flight.Get(Field::kOrigin))];
    ++figures.by_carrier[std::string(flight.Get(Field::kCarrier))];
  }
}

class RealFlightsTest : public ::testing::Test {
 protected:
  CsvFlights Open(const std::string& name) {
    return CsvFlights({.files = {Dataset(name)}, .layout = ""}, rejected_);
  }
  RejectedRows rejected_{[](const std::string& line) { ADD_FAILURE() << line; }};
};

TEST_F(RealFlightsTest, Nycflights13HasItsFigures) {
  SKIP_WITHOUT_DATASETS();
  CsvFlights source = Open("nycflights13/flights.csv.zst");

  const auto [figures, without_schedule] = Count(source);

  const FlightFigures known = test_support::NycFigures();
  EXPECT_EQ(without_schedule, known.cancelled);
  EXPECT_EQ(figures.by_origin, known.by_origin);
  EXPECT_EQ(figures.by_carrier, known.by_carrier);
  EXPECT_TRUE(figures == known);
}

TEST_F(RealFlightsTest, Nycflights13IsReplayedInOrderAndWhole) {
  SKIP_WITHOUT_DATASETS();
  CsvFlights source = Open("nycflights13/flights.csv.zst");
  FlightReplay::Options options;
  options.temp_directory = std::filesystem::temp_directory_path();
  FlightReplay replay(source, options);
  ASSERT_OK(replay.Load({}, [](uint64_t) {}));

  uint64_t count = 0;
  uint64_t id_sum = 0;
  EventTime last{};
  Record record;
  while (replay.Next(record) == true) {
    ASSERT_GE(record.event_time, count == 0 ? record.event_time : last);
    last = record.event_time;
    id_sum += static_cast<uint64_t>(record.id);
    ++count;
  }

  EXPECT_EQ(count, 336'776U);
  EXPECT_EQ(id_sum, uint64_t{336'776} * 336'775 / 2);
  EXPECT_EQ(replay.spilled_run_count(), 0U);  // fits into the default memory
}

TEST_F(RealFlightsTest, BtsWithoutAHeader) {
  SKIP_WITHOUT_DATASETS();
  CsvFlights source = Open("bts/ontime-2008-29-columns.csv");

  const auto [figures, without_schedule] = Count(source);

  EXPECT_EQ(figures.flights, 10'000);
  EXPECT_EQ(figures.cancelled, 48);
  EXPECT_EQ(figures.departed_without_delay, 12);
  EXPECT_EQ(without_schedule, 0);
}

TEST_F(RealFlightsTest, BtsRaw) {
  SKIP_WITHOUT_DATASETS();
  CsvFlights source = Open("bts/ontime-raw-109-columns.csv");

  const auto [figures, without_schedule] = Count(source);

  EXPECT_EQ(figures.flights, 9);
  EXPECT_EQ(without_schedule, 0);
  EXPECT_EQ(figures.by_origin.begin()->first, "JFK");
}

TEST_F(RealFlightsTest, WeatherOfThreeStations) {
  SKIP_WITHOUT_DATASETS();
  WeatherReplay replay({.file = Dataset("nycflights13/weather.csv"),
                        .temp_directory = std::filesystem::temp_directory_path()},
                       rejected_);
  ASSERT_OK(replay.Load());

  std::map<std::string, uint64_t, std::less<>> stations;
  Record record;
  auto last = std::chrono::local_time<std::chrono::milliseconds>::min();
  uint64_t without_temperature = 0;
  while (replay.Next(record) == true) {
    ASSERT_GE(record.event_time, last);
    last = record.event_time;
    ++stations[std::string(record.key)];
    bool is_missing = record.value.find("\"temperature\":null") != std::string_view::npos;
    without_temperature += is_missing ? 1 : 0;
  }

  EXPECT_EQ(replay.total_count(), 26'115U);
  EXPECT_EQ(stations.size(), 3U);
  EXPECT_EQ(without_temperature, 1U);
}

}  // namespace
}  // namespace slipstream::producer
