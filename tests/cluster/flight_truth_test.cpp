// The tests' own witness, on a file small enough to be worked out by hand; and that it objects.

#include "tests/cluster/flight_truth.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "tests/cluster/flights_checks.h"
#include "tests/support/assert_ok.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

constexpr const char* kCsv =
    "id,year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,"
    "flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour,name\n"
    "0,2013,12,31,3.0,2400,3.0,230.0,200,30.0,UA,1545,N14228,EWR,IAH,100.0,1400,24,0,"
    "2014-01-01 00:00:00,United Air Lines Inc.\n"
    "1,2014,1,1,NA,,,,,,UA,1,\\N,EWR,IAH,,1400,,,,\"United, of old\"\n"
    "2,2014,1,1,55.0,59,-4.0,215.0,200,15.0,UA,2,N2,EWR,IAH,50.0,1400,0,59,2014-01-01 00:00:00,"
    "United Air Lines Inc.\n"
    "3,2014,1,1,100.0,100,0.0,214.0,200,14.0,AA,3,N3,JFK,LAX,300.0,2475,1,0,2014-01-01 01:00:00,"
    "American Airlines Inc.\n";

class FlightTruthTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path path = dir_ / "flights.csv";
    ASSERT_OK(WriteFile(path, kCsv));
    ASSERT_OK_AND_ASSIGN(truth_, FlightTruth::Read(path));
  }

  const TempDir dir_{"flight-truth"};
  FlightTruth truth_;
};

TEST_F(FlightTruthTest, MissingIsSpelledInThreeWays) {
  const FlightRow& cancelled = truth_.rows().at(1);
  EXPECT_EQ(cancelled.Number("dep_time"), std::nullopt);
  EXPECT_EQ(cancelled.Text("tailnum"), "");
  EXPECT_EQ(cancelled.Text("time_hour"), "");
  EXPECT_EQ(cancelled.Text("name"), "United, of old");
  EXPECT_EQ(MinuteText(cancelled.EventMinute()), "2014-01-01 00:00:00");
}

TEST_F(FlightTruthTest, Figures) {
  EXPECT_TRUE(
      truth_.Figures() ==
      (FlightFigures{
          .flights = 4,
          .cancelled = 1,
          .departed_without_delay = 0,
          .departure = {.present = 3, .above_zero = 1, .at_least_15 = 0, .min = -4, .max = 3},
          .arrival = {.present = 3, .above_zero = 3, .at_least_15 = 2, .min = 14, .max = 30},
          .by_origin = {{"EWR", 3}, {"JFK", 1}},
          .by_carrier = {{"AA", 1}, {"UA", 3}}}));
}

// 2400 is the midnight at the end of the day, so the first flight shares its hour with the third.
TEST_F(FlightTruthTest, DelaysAreOfTheHourOfScheduledDeparture) {
  const std::vector<DelayRow> delays = truth_.Delays();
  ASSERT_EQ(delays.size(), 1U);
  EXPECT_EQ(delays[0],
            (DelayRow{.window_start = "2014-01-01 00:00:00",
                      .window_end = "2014-01-01 01:00:00",
                      .origin = "EWR",
                      .carrier = "UA",
                      .delayed_flights = 2,
                      .avg_arr_delay = 22.5,
                      .max_arr_delay = 30}));
}

TEST_F(FlightTruthTest, CarriersAreAveragedOverPositiveValues) {
  const std::vector<CarrierRow> carriers = truth_.Carriers();
  ASSERT_EQ(carriers.size(), 2U);
  EXPECT_EQ(carriers[0],
            (CarrierRow{.carrier = "AA",
                        .flights = 1,
                        .avg_dep_delay = std::nullopt,
                        .avg_arr_delay = 14,
                        .avg_air_time = 300,
                        .score = std::nullopt}));
  EXPECT_EQ(carriers[1],
            (CarrierRow{.carrier = "UA",
                        .flights = 3,
                        .avg_dep_delay = 3,
                        .avg_arr_delay = 22.5,
                        .avg_air_time = 75,
                        .score = 0.38}));
}

TEST_F(FlightTruthTest, WhatIsNotAsItShouldBeIsReported) {
  const std::string good =
      R"({"id":0,"year":2013,"month":12,"day":31,"dep_time":3,"sched_dep_time":2400,"dep_delay":3,)"
      R"("arr_time":230,"sched_arr_time":200,"arr_delay":30,"flight":1545,"tailnum":"N14228",)"
      R"("origin":"EWR","dest":"IAH","air_time":100,"distance":1400,"hour":24,"minute":0,)"
      R"("time_hour":"2014-01-01 00:00:00","name":"United Air Lines Inc."})";
  ::testing::TestPartResultArray reports;
  {
    const ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &reports);
    ExpectStoredFlights(truth_, {{"UA", {good, good}}, {"AA", {good}}});
    ExpectDelays(truth_, {});
    ExpectCarriers(truth_, {});
  }
  std::string text;
  for (int i = 0; i < reports.size(); ++i)
    text += reports.GetTestPartResult(i).message();
  for (const char* expected : {"is stored as of AA",
                               "flight 0 is there 3 times",
                               "flight 1 is there 0 times",
                               "missing: 2014-01-01 00:00:00 to",
                               "missing: UA: 3 flights"}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected << " is not in: " << text;
  }
}

}  // namespace
}  // namespace slipstream::test_support
