#include "producer/flights/layout.h"

#include <map>
#include <random>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "producer/csv/rejected_rows.h"
#include "producer/flights/carriers.h"
#include "producer/flights/csv_flights.h"
#include "producer/flights/flight_csv.h"
#include "producer/flights/flight_json.h"
#include "producer/flights/schedule.h"
#include "tests/support/assert_ok.h"
#include "tests/unit/producer/test_sources.h"

// What real files do to a reader, over rows made up in their shapes.

namespace slipstream::producer {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kHeader21 =
    "id,year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,"
    "flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour,name\n";

json OneFlight(const std::string& csv, const std::string& layout = "") {
  std::vector<std::string> lines = ReadCsvJson(csv, layout);
  EXPECT_EQ(lines.size(), 1U);
  return lines.empty() ? json() : json::parse(lines[0]);
}

TEST(LayoutTest, TwentyOneColumnsBecomeOneObjectInFileOrder) {
  EXPECT_THAT(
      ReadCsvJson(std::string(kHeader21) +
                  "0,2013,1,1,517.0,515,2.0,830.0,819,11.0,UA,1545,N14228,EWR,IAH,227.0,1400,5,"
                  "15,2013-01-01 05:00:00,United Air Lines Inc.\n"),
      ElementsAre(
          R"({"id":0,"year":2013,"month":1,"day":1,"dep_time":517,"sched_dep_time":515,)"
          R"("dep_delay":2,"arr_time":830,"sched_arr_time":819,"arr_delay":11,"carrier":"UA",)"
          R"("flight":1545,"tailnum":"N14228","origin":"EWR","dest":"IAH","air_time":227,)"
          R"("distance":1400,"hour":5,"minute":15,"time_hour":"2013-01-01 05:00:00",)"
          R"("name":"United Air Lines Inc."})"));
}

TEST(LayoutTest, MissingIsSpelledThreeWays) {
  json flight = OneFlight(std::string(kHeader21) +
                          "838,2013,1,1,,NA,\\N,,,,EV,4308,NA,EWR,RDU,\\N,416,,,,ExpressJet\n");

  for (const char* field : {"dep_time", "sched_dep_time", "dep_delay", "tailnum", "air_time"}) {
    EXPECT_TRUE(flight[field].is_null()) << field;
  }
  EXPECT_EQ(flight["distance"], 416);
}

TEST(LayoutTest, SixteenColumnsHaveTheirScheduleRebuilt) {
  json flight = OneFlight(
      "\"year\",\"month\",\"day\",\"dep_time\",\"dep_delay\",\"arr_time\",\"arr_delay\","
      "\"carrier\",\"tailnum\",\"flight\",\"origin\",\"dest\",\"air_time\",\"distance\",\"hour\","
      "\"minute\"\n2013,1,1,10,70,517,-3,\"UA\",\"N14228\",1545,\"EWR\",\"IAH\",227,1400,0,10\n");

  EXPECT_EQ(flight["id"], 0);
  EXPECT_EQ(flight["sched_dep_time"], 2300);  // the date is the schedule's
  EXPECT_EQ(flight["sched_arr_time"], 520);
  EXPECT_EQ(flight["hour"], 23);  // of the schedule, unlike the file's
  EXPECT_EQ(flight["minute"], 0);
  EXPECT_EQ(flight["time_hour"], "2013-01-01 23:00:00");
  EXPECT_EQ(flight["name"], "United Air Lines Inc.");
}

TEST(LayoutTest, NineteenColumnsDoNotTakeTimeHourInUtc) {
  json flight = OneFlight(
      "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,"
      "flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour\n"
      "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n");

  EXPECT_EQ(flight["time_hour"], "2013-01-01 05:00:00");
  EXPECT_EQ(flight["id"], 0);
}

constexpr const char* kBts29Row =
    "2008,4,3,4,1201,1140,1352,1305,WN,165,N333SW,111,85,97,47,21,MCI,BNA,491,6,8,\\N,,\\N,21,0,26,"
    "0,0\n";

TEST(LayoutTest, BtsWithoutAHeaderIsRecognisedByItsShape) {
  json flight = OneFlight(kBts29Row);

  EXPECT_EQ(flight["dep_time"], 1201);
  EXPECT_EQ(flight["sched_dep_time"], 1140);
  EXPECT_EQ(flight["dep_delay"], 21);
  EXPECT_EQ(flight["arr_delay"], 47);
  EXPECT_EQ(flight["air_time"], 97);
  EXPECT_EQ(flight["distance"], 491);
  EXPECT_EQ(flight["origin"], "MCI");
  EXPECT_EQ(flight["time_hour"], "2008-04-03 11:00:00");
  EXPECT_EQ(flight["name"], "Southwest Airlines Co.");
}

TEST(LayoutTest, BtsWithAHeaderIsTheSame) {
  std::string header =
      "Year,Month,DayofMonth,DayOfWeek,DepTime,CRSDepTime,ArrTime,CRSArrTime,UniqueCarrier,"
      "FlightNum,TailNum,ActualElapsedTime,CRSElapsedTime,AirTime,ArrDelay,DepDelay,Origin,Dest,"
      "Distance,TaxiIn,TaxiOut,Cancelled,CancellationCode,Diverted,CarrierDelay,WeatherDelay,"
      "NASDelay,SecurityDelay,LateAircraftDelay\n";

  EXPECT_EQ(ReadCsvJson(header + kBts29Row), ReadCsvJson(kBts29Row));
}

TEST(LayoutTest, BtsKeepsTheScheduleOfCancelledFlights) {
  json flight = OneFlight(
      "2008,4,3,4,NA,1140,NA,1305,WN,165,NA,NA,85,NA,NA,NA,MCI,BNA,491,NA,NA,\\N,,\\N,NA,NA,NA,NA,"
      "NA\n");

  EXPECT_TRUE(flight["dep_time"].is_null());
  EXPECT_EQ(flight["sched_dep_time"], 1140);
  EXPECT_EQ(flight["hour"], 11);
}

std::string BtsRawHeader(bool has_new_names) {
  std::string carrier = has_new_names ? "Reporting_Airline" : "UniqueCarrier";
  std::string number = has_new_names ? "Flight_Number_Reporting_Airline" : "FlightNum";
  std::string tail = has_new_names ? "Tail_Number" : "TailNum";
  return "\"Year\",\"Quarter\",\"Month\",\"DayofMonth\",\"FlightDate\",\"" + carrier + "\",\"" +
         tail + "\",\"" + number +
         "\",\"Origin\",\"OriginCityName\",\"Dest\",\"CRSDepTime\",\"DepTime\",\"DepDelay\","
         "\"CRSArrTime\",\"ArrTime\",\"ArrDelay\",\"AirTime\",\"Distance\",\n";
}

TEST(LayoutTest, BtsRawHasQuotesAndACommaAtTheEnd) {
  std::string row =
      "1988,1,1,1,1988-01-01,\"AA\",\"\",\"1\",\"JFK\",\"New York, NY\",\"LAX\",\"0900\",\"0905\","
      "5.00,\"1152\",\"1227\",35.00,,2475.00,\n";
  for (bool has_new_names : {false, true}) {
    json flight = OneFlight(BtsRawHeader(has_new_names) + row);

    EXPECT_EQ(flight["sched_dep_time"], 900);
    EXPECT_EQ(flight["dep_delay"], 5);
    EXPECT_EQ(flight["flight"], 1);
    EXPECT_EQ(flight["carrier"], "AA");
    EXPECT_EQ(flight["dest"], "LAX");
    EXPECT_TRUE(flight["tailnum"].is_null());
    EXPECT_EQ(flight["time_hour"], "1988-01-01 09:00:00");
  }
}

// The whole header of a raw file, as files up to 2017 name the columns.
constexpr const char* kBtsRawNames =
    "Year,Quarter,Month,DayofMonth,DayOfWeek,FlightDate,UniqueCarrier,AirlineID,Carrier,TailNum,"
    "FlightNum,OriginAirportID,OriginAirportSeqID,OriginCityMarketID,Origin,OriginCityName,"
    "OriginState,OriginStateFips,OriginStateName,OriginWac,DestAirportID,DestAirportSeqID,"
    "DestCityMarketID,Dest,DestCityName,DestState,DestStateFips,DestStateName,DestWac,"
    "CRSDepTime,DepTime,DepDelay,DepDelayMinutes,DepDel15,DepartureDelayGroups,DepTimeBlk,"
    "TaxiOut,WheelsOff,WheelsOn,TaxiIn,CRSArrTime,ArrTime,ArrDelay,ArrDelayMinutes,ArrDel15,"
    "ArrivalDelayGroups,ArrTimeBlk,Cancelled,CancellationCode,Diverted,CRSElapsedTime,"
    "ActualElapsedTime,AirTime,Flights,Distance,DistanceGroup,CarrierDelay,WeatherDelay,"
    "NASDelay,SecurityDelay,LateAircraftDelay,FirstDepTime,TotalAddGTime,LongestAddGTime,"
    "DivAirportLandings,DivReachedDest,DivActualElapsedTime,DivArrDelay,DivDistance,Div1Airport,"
    "Div1AirportID,Div1AirportSeqID,Div1WheelsOn,Div1TotalGTime,Div1LongestGTime,Div1WheelsOff,"
    "Div1TailNum,Div2Airport,Div2AirportID,Div2AirportSeqID,Div2WheelsOn,Div2TotalGTime,"
    "Div2LongestGTime,Div2WheelsOff,Div2TailNum,Div3Airport,Div3AirportID,Div3AirportSeqID,"
    "Div3WheelsOn,Div3TotalGTime,Div3LongestGTime,Div3WheelsOff,Div3TailNum,Div4Airport,"
    "Div4AirportID,Div4AirportSeqID,Div4WheelsOn,Div4TotalGTime,Div4LongestGTime,Div4WheelsOff,"
    "Div4TailNum,Div5Airport,Div5AirportID,Div5AirportSeqID,Div5WheelsOn,Div5TotalGTime,"
    "Div5LongestGTime,Div5WheelsOff,Div5TailNum";

// A row of all 109 columns and the comma at its end, strings in quotes as the files have them.
std::string BtsRawRow(const std::map<std::string, std::string>& values) {
  std::string row;
  std::stringstream names(kBtsRawNames);
  for (std::string name; std::getline(names, name, ',');) {
    auto found = values.find(name);
    if (found != values.end()) row += found->second;
    row += ',';
  }
  return row + "\n";
}

TEST(LayoutTest, BtsRawInItsFullWidthIsTheSameWithAHeaderAndWithout) {
  std::map<std::string, std::string> values = {{"Year", "2017"},
                                               {"Quarter", "1"},
                                               {"Month", "2"},
                                               {"DayofMonth", "3"},
                                               {"FlightDate", "2017-02-03"},
                                               {"UniqueCarrier", "\"AA\""},
                                               {"AirlineID", "19805"},
                                               {"TailNum", "\"N787AA\""},
                                               {"FlightNum", "\"1\""},
                                               {"OriginAirportID", "12478"},
                                               {"Origin", "\"JFK\""},
                                               {"OriginCityName", "\"New York, NY\""},
                                               {"Dest", "\"LAX\""},
                                               {"DestCityName", "\"Los Angeles, CA\""},
                                               {"CRSDepTime", "\"0900\""},
                                               {"DepTime", "\"0855\""},
                                               {"DepDelay", "-5.00"},
                                               {"DepDelayMinutes", "0.00"},
                                               {"CRSArrTime", "\"2357\""},
                                               {"ArrTime", "\"2400\""},
                                               {"ArrDelay", "3.00"},
                                               {"AirTime", "377.00"},
                                               {"Distance", "2475.00"},
                                               {"Cancelled", "0.00"},
                                               {"Diverted", "0.00"}};
  const std::string row = BtsRawRow(values);

  json flight = OneFlight(kBtsRawNames + std::string(",\n") + row);

  EXPECT_EQ(flight, OneFlight(row));
  EXPECT_EQ(flight["tailnum"], "N787AA");
  EXPECT_EQ(flight["origin"], "JFK");
  EXPECT_EQ(flight["dest"], "LAX");
  EXPECT_EQ(flight["flight"], 1);
  EXPECT_EQ(flight["sched_dep_time"], 900);
  EXPECT_EQ(flight["dep_time"], 855);
  EXPECT_EQ(flight["dep_delay"], -5);
  EXPECT_EQ(flight["sched_arr_time"], 2357);
  EXPECT_EQ(flight["arr_time"], 2400);
  EXPECT_EQ(flight["arr_delay"], 3);
  EXPECT_EQ(flight["air_time"], 377);
  EXPECT_EQ(flight["distance"], 2475);
  EXPECT_EQ(flight["time_hour"], "2017-02-03 09:00:00");

  for (const char* name : {"DepTime", "ArrTime", "TailNum"})
    values[name] = "\"\"";
  for (const char* name : {"DepDelay", "ArrDelay", "AirTime"})
    values.erase(name);
  flight = OneFlight(BtsRawRow(values));
  EXPECT_TRUE(flight["dep_time"].is_null());
  EXPECT_TRUE(flight["dep_delay"].is_null());
  EXPECT_TRUE(flight["tailnum"].is_null());
  EXPECT_EQ(flight["sched_dep_time"], 900) << "a cancelled flight keeps its schedule";
}

TEST(LayoutTest, KagglesThirtyOneColumns) {
  std::string header =
      "YEAR,MONTH,DAY,DAY_OF_WEEK,AIRLINE,FLIGHT_NUMBER,TAIL_NUMBER,ORIGIN_AIRPORT,"
      "DESTINATION_AIRPORT,SCHEDULED_DEPARTURE,DEPARTURE_TIME,DEPARTURE_DELAY,TAXI_OUT,WHEELS_OFF,"
      "SCHEDULED_TIME,ELAPSED_TIME,AIR_TIME,DISTANCE,WHEELS_ON,TAXI_IN,SCHEDULED_ARRIVAL,"
      "ARRIVAL_TIME,ARRIVAL_DELAY,DIVERTED,CANCELLED,CANCELLATION_REASON,AIR_SYSTEM_DELAY,"
      "SECURITY_DELAY,AIRLINE_DELAY,LATE_AIRCRAFT_DELAY,WEATHER_DELAY\n";
  std::string row =
      "2015,1,1,4,AS,98,N407AS,ANC,SEA,0005,2354.0,-11,21.0,15,205,194,169,1448,404,4,430,408,-22,"
      "0,"
      "0,,,,,,\n";

  json flight = OneFlight(header + row);

  EXPECT_EQ(flight, OneFlight(row));
  EXPECT_EQ(flight["sched_dep_time"], 5);
  EXPECT_EQ(flight["dep_time"], 2354);
  EXPECT_EQ(flight["arr_delay"], -22);
  EXPECT_EQ(flight["air_time"], 169);
  EXPECT_EQ(flight["time_hour"], "2015-01-01 00:00:00");
}

TEST(LayoutTest, KaggleKeepsTheScheduleOfCancelledFlights) {
  json flight =
      OneFlight("2015,1,1,4,AS,136,N431AS,ANC,SEA,0135,,,,,205,,,1448,,,600,,,0,1,A,,,,,\n");

  EXPECT_TRUE(flight["dep_time"].is_null());
  EXPECT_TRUE(flight["arr_delay"].is_null());
  EXPECT_EQ(flight["sched_dep_time"], 135);
  EXPECT_EQ(flight["sched_arr_time"], 600);
  EXPECT_EQ(flight["time_hour"], "2015-01-01 01:00:00");
}

// In October 2015 the file has the numbers of airports where their codes belong.
TEST(LayoutTest, KagglesNumberedAirportsAreTextAsTheCodesAre) {
  json flight = OneFlight(
      "2015,10,1,4,AA,1230,N3DBAA,14747,11298,0005,15,10,15,30,215,202,178,1660,528,9,540,537,-3,0,"
      "0,,,,,,\n");

  EXPECT_EQ(flight["origin"], "14747");
  EXPECT_EQ(flight["dest"], "11298");
}

TEST(LayoutTest, ColumnsMayComeInAnotherOrderAndMore) {
  json flight = OneFlight(
      "dest,origin,carrier,extra,day,month,YEAR,sched_dep_time\nIAH,EWR,UA,?,1,1,2013,515\n");

  EXPECT_EQ(flight["origin"], "EWR");
  EXPECT_EQ(flight["sched_dep_time"], 515);
  EXPECT_TRUE(flight["dep_delay"].is_null());
}

TEST(LayoutTest, WhatFitsNoLayoutSaysSo) {
  for (const char* csv : {"a,b,c\n1,2,3\n", "year,month,day\n2013,1,1\n"}) {
    ScratchFile file("x.csv", csv);
    RejectedRows rejected([](const std::string&) {});
    CsvFlights source({.files = {file.path()}, .layout = ""}, rejected);
    Flight flight;

    Result<bool> more = source.Next(flight);

    EXPECT_EQ(more.status().code(), Code::kInvalidArgument);
    EXPECT_THAT(more.status().message(), HasSubstr("nycflights13-21"));
  }
}

TEST(CsvFlightsTest, EveryFileHasItsOwnLayoutAndIdsGoOn) {
  ScratchFile plain("a.csv", std::string(kBts29Row) + kBts29Row);
  ScratchFile packed("b.csv", Zstd(kBts29Row));
  ScratchFile empty("c.csv", "");
  RejectedRows rejected([](const std::string& line) { ADD_FAILURE() << line; });
  CsvFlights source({.files = {plain.path(), empty.path(), packed.path()}, .layout = ""}, rejected);

  std::vector<std::string> lines = ReadJson(source);

  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(json::parse(lines[2])["id"], 2);
  ASSERT_OK(source.Rewind());
  EXPECT_EQ(ReadJson(source), lines);
}

constexpr const char* kThreeBadRows =
    "year,month,day,carrier,origin,dest,dep_delay\n"
    "2013,1,1,UA,EWR,IAH,2\n"
    "2013,1,1,UA,EWR\n"
    "2013,2,30,UA,EWR,IAH,2\n"
    "2013,1,1,UA,EWR,IAH,soon\n"
    "2013,1,1,AA,JFK,MIA,3\n";

TEST(CsvFlightsTest, MalformedRowsAreReportedCountedAndSkipped) {
  ScratchFile file("bad.csv", kThreeBadRows);
  std::vector<std::string> reports;
  RejectedRows rejected([&](const std::string& line) { reports.push_back(line); });
  CsvFlights source({.files = {file.path()}, .layout = ""}, rejected);

  EXPECT_EQ(ReadJson(source).size(), 2U);

  EXPECT_EQ(rejected.count(), 3U);
  EXPECT_THAT(reports,
              ElementsAre(HasSubstr("bad.csv:3: "),
                          HasSubstr("bad.csv:4: "),
                          HasSubstr("bad.csv:5: dep_delay is not a number")));
  EXPECT_EQ(rejected.by_reason().at("dep_delay is not a number"), 1U);
}

TEST(CsvFlightsTest, StrictStopsAtTheFirst) {
  ScratchFile file("bad.csv", kThreeBadRows);
  RejectedRows rejected([](const std::string&) {});
  CsvFlights source({.files = {file.path()}, .layout = "", .is_strict = true}, rejected);
  Flight flight;
  ASSERT_OK(source.Next(flight));

  Result<bool> more = source.Next(flight);

  EXPECT_EQ(more.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(more.status().message(), HasSubstr("bad.csv:3: "));
}

// Seeded mutations of good rows: whatever is accepted is a JSON object of the 21 fields, also after
// a shift; everything else is counted.
TEST(CsvFlightsTest, SurvivesMutatedRows) {
  const std::string good =
      "0,2013,1,1,517.0,515,2.0,830.0,819,11.0,UA,1545,N14228,EWR,IAH,227.0,1400,5,15,"
      "2013-01-01 05:00:00,\"United, Inc.\"\n";
  const std::string alphabet = "0123456789.,-+\"NA\\\n\xff";
  std::mt19937 random(20130101);
  std::string csv = kHeader21;
  constexpr int kRows = 20'000;
  for (int i = 0; i < kRows; ++i) {
    std::string row = good;
    for (auto change = random() % 4; change > 0; --change) {
      row[random() % (row.size() - 1)] = alphabet[random() % alphabet.size()];
    }
    csv += row;
  }
  ScratchFile file("mutated.csv", csv);
  RejectedRows rejected([](const std::string&) {});
  CsvFlights source({.files = {file.path()}, .layout = ""}, rejected);

  uint64_t accepted = 0;
  Flight flight;
  while (source.Next(flight) == true) {
    ++accepted;
    Shift(flight, std::chrono::minutes(static_cast<int>(random() % 5'000'000) - 2'500'000));
    for (NumberStyle style : {NumberStyle::kNumbers, NumberStyle::kStrings}) {
      std::string out;
      AppendJson(flight, style, out);
      json parsed = json::parse(out, nullptr, false);
      ASSERT_EQ(parsed.size(), kFieldCount) << out;
    }
  }

  EXPECT_GT(accepted, kRows / 4);
  EXPECT_GT(rejected.count(), kRows / 10);
}

TEST(RejectedRowsTest, ReportsAFewAndCountsAll) {
  uint64_t reports = 0;
  RejectedRows rejected([&](const std::string&) { ++reports; });

  for (uint64_t i = 0; i < 1000; ++i)
    rejected.Add("f.csv", i, "reason " + std::to_string(i));

  EXPECT_EQ(reports, RejectedRows::kReportedMax + 1);
  EXPECT_EQ(rejected.count(), 1000U);
  EXPECT_EQ(rejected.by_reason().size(), RejectedRows::kReasonsMax + 1);
}

TEST(FlightJsonTest, NumbersAsStringsKeepTheFilesSpelling) {
  Flight flight;
  flight.Set(Field::kId, "0");
  flight.Set(Field::kDepTime, "517.0");
  flight.Set(Field::kCarrier, "UA");
  std::string out;

  AppendJson(flight, NumberStyle::kStrings, out);

  json parsed = json::parse(out);
  EXPECT_EQ(parsed["id"], "0");
  EXPECT_EQ(parsed["dep_time"], "517.0");
  EXPECT_EQ(parsed["carrier"], "UA");
  EXPECT_TRUE(parsed["arr_time"].is_null());
}

TEST(FlightJsonTest, RealDecimalsStay) {
  Flight flight;
  flight.Set(Field::kAirTime, "227.25");
  std::string out;

  AppendJson(flight, NumberStyle::kNumbers, out);

  EXPECT_THAT(out, HasSubstr("\"air_time\":227.25,"));
}

TEST(FlightCsvTest, WhatIsWrittenReadsTheSame) {
  Flight flight;
  flight.Set(Field::kId, "0");
  for (Field field : {Field::kYear, Field::kMonth, Field::kDay})
    flight.Set(field, "2000");
  flight.Set(Field::kMonth, "2");
  flight.Set(Field::kDay, "29");
  flight.Set(Field::kCarrier, "UA");
  flight.Set(Field::kName, "United, \"the\" airline");
  std::string csv = FlightCsvHeader();
  AppendCsv(flight, csv);
  std::string expected;
  AppendJson(flight, NumberStyle::kNumbers, expected);

  EXPECT_THAT(ReadCsvJson(csv), ElementsAre(expected));
}

TEST(CarriersTest, KnowsCodesAndNothingElse) {
  EXPECT_EQ(CarrierName("9E"), "Endeavor Air Inc.");
  EXPECT_EQ(CarrierName("YX"), "Republic Airline");
  EXPECT_EQ(CarrierName("??"), "");
  EXPECT_EQ(CarrierName(""), "");
}

}  // namespace
}  // namespace slipstream::producer
