#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "producer/csv/rejected_rows.h"
#include "producer/flights/csv_flights.h"
#include "producer/flights/flight_csv.h"
#include "producer/synthetic/network.h"
#include "producer/synthetic/synthetic_flights.h"
#include "tests/support/assert_ok.h"
#include "tests/unit/producer/test_sources.h"

namespace slipstream::producer::synthetic {
namespace {

using std::literals::chrono_literals::operator""y;

std::string Csv(uint64_t flights, uint64_t seed) {
  SyntheticFlights source({.flights = flights, .seed = seed});
  std::string csv = FlightCsvHeader();
  Flight flight;
  while (source.Next(flight) == true)
    AppendCsv(flight, csv);
  return csv;
}

// FNV-1a: enough to notice any change.
uint64_t Hash(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

TEST(SyntheticFlightsTest, TheSameSeedIsTheSameYear) {
  std::string year = Csv(3'000, 7);

  EXPECT_TRUE(Csv(3'000, 7) == year);
  EXPECT_FALSE(Csv(3'000, 8) == year);
  // On every machine, and next year too: tests elsewhere count on what a seed gives.
  EXPECT_EQ(Hash(year), 6'559'624'493'378'084'351U);
}

TEST(SyntheticFlightsTest, GivesAsManyAsAskedFor) {
  for (uint64_t count : {1U, 2U, 364U, 1'000U, 12'345U}) {
    std::string csv = Csv(count, 1);
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), static_cast<int64_t>(count + 1));
  }
}

TEST(SyntheticFlightsTest, IsTheSameThroughACsvFile) {
  SyntheticFlights source({.flights = 2'000, .seed = 3});

  std::vector<std::string> direct = ReadJson(source);

  EXPECT_EQ(ReadCsvJson(Csv(2'000, 3)), direct);
  ASSERT_OK(source.Rewind());
  EXPECT_EQ(ReadJson(source), direct);
}

// Like the real file, so that a replay that does not sort is found out.
TEST(SyntheticFlightsTest, IsNotInTimeOrder) {
  SyntheticFlights source({.flights = 5'000, .seed = 1});
  std::vector<int64_t> months;
  Flight flight;
  while (source.Next(flight) == true) {
    int64_t month = *ParseInteger(flight.Get(Field::kMonth));
    if (months.empty() || months.back() != month) months.push_back(month);
  }

  EXPECT_EQ(months, (std::vector<int64_t>{1, 10, 11, 12, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(SyntheticFlightsTest, LooksLikeARealYear) {
  SyntheticFlights source({.flights = 60'000, .seed = 1});
  double cancelled = 0;
  double diverted = 0;
  double late = 0;
  double departed = 0;
  std::map<int64_t, std::pair<double, double>> by_hour;
  std::map<std::string, std::pair<double, double>, std::less<>> by_carrier;
  std::map<std::string, double, std::less<>> by_origin;
  Flight flight;
  while (source.Next(flight) == true) {
    by_origin[std::string(flight.Get(Field::kOrigin))] += 1;
    if (!flight.Has(Field::kDepTime)) {
      ++cancelled;
      EXPECT_FALSE(flight.Has(Field::kSchedDepTime));
      continue;
    }
    ++departed;
    auto delay = static_cast<double>(*ParseInteger(flight.Get(Field::kDepDelay)));
    auto add = [delay](std::pair<double, double>& sum) {
      sum.first += delay;
      sum.second += 1;
    };
    add(by_hour[*ParseInteger(flight.Get(Field::kHour))]);
    add(by_carrier[std::string(flight.Get(Field::kCarrier))]);
    if (std::optional<int64_t> arrival = ParseInteger(flight.Get(Field::kArrDelay))) {
      late += *arrival >= 15 ? 1 : 0;
    } else {
      ++diverted;
    }
  }
  auto mean = [](const std::pair<double, double>& sum) { return sum.first / sum.second; };

  EXPECT_NEAR(cancelled / 60'000, 0.025, 0.008);
  EXPECT_NEAR(diverted / departed, 0.002, 0.0015);
  EXPECT_NEAR(late / departed, 0.21, 0.05);
  // Delays grow during the day, some carriers are better than others, some airports larger.
  EXPECT_GT(mean(by_hour[19]), 1.5 * mean(by_hour[7]));
  EXPECT_GT(mean(by_carrier["EV"]), mean(by_carrier["AS"]) + 3);
  EXPECT_GT(by_origin["ORD"], 5 * by_origin["MSY"]);
  EXPECT_EQ(by_carrier.size(), Carriers().size());
}

TEST(DayScheduleTest, AnAircraftIsWhereItsLastFlightLeftIt) {
  std::map<std::pair<size_t, int>, const SyntheticFlight*> last;
  int knocked_on = 0;
  std::vector<SyntheticFlight> flights = MakeDay(1, 2013y / 7 / 10, 2'000);

  for (const SyntheticFlight& flight : flights) {
    const SyntheticFlight*& before = last[{flight.carrier, flight.aircraft}];
    if (before != nullptr) {
      EXPECT_EQ(before->dest, flight.origin);
      EXPECT_LT(before->scheduled_arrival, flight.scheduled_departure);
      int ready = before->scheduled_arrival + before->arrival_delay;
      if (!before->is_cancelled && !flight.is_cancelled) {
        // Nobody leaves before the aircraft has come.
        EXPECT_GT(flight.scheduled_departure + flight.departure_delay, ready);
        knocked_on += ready > flight.scheduled_departure ? 1 : 0;
      }
    }
    before = &flight;
  }

  EXPECT_GT(knocked_on, 20);
}

TEST(NetworkTest, DistancesAndClocksAreReal) {
  const size_t jfk = AirportIndex("JFK");
  const size_t lax = AirportIndex("LAX");

  EXPECT_NEAR(DistanceMiles(jfk, lax), 2'475, 15);
  EXPECT_EQ(DistanceMiles(jfk, lax), DistanceMiles(lax, jfk));
  EXPECT_EQ(UtcOffset(Airports()[jfk], 2013y / 3 / 9), std::chrono::hours(-5));
  EXPECT_EQ(UtcOffset(Airports()[jfk], 2013y / 3 / 10), std::chrono::hours(-4));
  EXPECT_EQ(UtcOffset(Airports()[jfk], 2013y / 11 / 3), std::chrono::hours(-5));
  EXPECT_EQ(UtcOffset(Airports()[AirportIndex("PHX")], 2013y / 7 / 1), std::chrono::hours(-7));
}

}  // namespace
}  // namespace slipstream::producer::synthetic
