#include "producer/flights/flight_replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "producer/csv/rejected_rows.h"
#include "producer/flights/csv_flights.h"
#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/producer/test_sources.h"

namespace slipstream::producer {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::minutes;
using std::literals::chrono_literals::operator""y;
using ::testing::ElementsAre;

// Out of order, with a tie (ids 1 and 4) and a cancelled flight without a schedule (id 3).
constexpr const char* kFlights =
    "id,year,month,day,sched_dep_time,dep_time,carrier,origin,dest\n"
    "0,2013,2,1,600,601,UA,EWR,IAH\n"
    "1,2013,1,1,515,517,UA,EWR,IAH\n"
    "2,2013,1,2,2400,5,DL,,ATL\n"
    "3,2013,1,2,,,AA,LGA,DFW\n"
    "4,2013,1,1,515,520,B6,JFK,BQN\n";

class FlightReplayTest : public ::testing::Test {
 protected:
  FlightReplay::Options Options() const {
    FlightReplay::Options options;
    options.temp_directory = dir_.path();
    return options;
  }

  // The first `count` records as JSON, and their keys and event times beside them.
  std::vector<json> Take(const FlightReplay::Options& options, size_t count) {
    FlightReplay replay(source_, options);
    EXPECT_OK(replay.Load({}, [](uint64_t) {}));
    std::vector<json> records;
    Record record;
    while (records.size() < count) {
      Result<bool> more = replay.Next(record);
      EXPECT_OK(more);
      if (!more.ok() || !*more) break;
      records.push_back(json::parse(record.value));
      EXPECT_EQ(records.back()["id"], record.id);
      keys_.emplace_back(record.key);
      times_.push_back(record.event_time);
    }
    return records;
  }

  static std::vector<int> Ids(const std::vector<json>& records) {
    std::vector<int> ids;
    for (const json& record : records)
      ids.push_back(record["id"]);
    return ids;
  }

  test_support::TempDir dir_;
  ScratchFile file_{"flights.csv", kFlights};
  RejectedRows rejected_{[](const std::string& line) { ADD_FAILURE() << line; }};
  CsvFlights source_{{.files = {file_.path()}, .layout = ""}, rejected_};
  std::vector<std::string> keys_;
  std::vector<EventTime> times_;
};

TEST_F(FlightReplayTest, SortsByEventTimeTiesInFileOrder) {
  EXPECT_THAT(Ids(Take(Options(), 100)), ElementsAre(1, 4, 3, 2, 0));
  EXPECT_TRUE(std::is_sorted(times_.begin(), times_.end()));
  EXPECT_EQ(times_[2], local_days(2013y / 1 / 2));
  EXPECT_EQ(times_[3], local_days(2013y / 1 / 3));
}

TEST_F(FlightReplayTest, UnsortedIsTheFilesOrder) {
  FlightReplay::Options options = Options();
  options.is_sorted = false;

  EXPECT_THAT(Ids(Take(options, 100)), ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(FlightReplayTest, TheKeyIsTheOriginUnlessToldOtherwise) {
  Take(Options(), 100);
  EXPECT_THAT(keys_, ElementsAre("EWR", "JFK", "LGA", "", "EWR"));

  keys_.clear();
  ASSERT_OK(source_.Rewind());
  FlightReplay::Options options = Options();
  options.key = Field::kCarrier;
  Take(options, 2);
  EXPECT_THAT(keys_, ElementsAre("UA", "B6"));
}

TEST_F(FlightReplayTest, ShiftMovesTheFirstEventAndKeepsTheDistances) {
  FlightReplay::Options options = Options();
  options.start = local_days(2026y / 11 / 21) + hours(9) + minutes(15) + std::chrono::seconds(59);

  std::vector<json> records = Take(options, 100);

  EXPECT_THAT(Ids(records), ElementsAre(1, 4, 3, 2, 0));
  EXPECT_EQ(times_[0], local_days(2026y / 11 / 21) + hours(9) + minutes(15));
  EXPECT_EQ(times_[2] - times_[0], hours(18) + minutes(45));
  EXPECT_EQ(records[0]["sched_dep_time"], 915);
  EXPECT_EQ(records[0]["dep_time"], 917);
  EXPECT_EQ(records[0]["time_hour"], "2026-11-21 09:00:00");
  EXPECT_EQ(records[2]["sched_dep_time"], 400);
  EXPECT_TRUE(records[2]["dep_time"].is_null());
}

TEST_F(FlightReplayTest, ALoopGoesOnInTimeAndIds) {
  for (bool is_sorted : {true, false}) {
    FlightReplay::Options options = Options();
    options.is_sorted = is_sorted;
    options.loops = true;
    times_.clear();
    ASSERT_OK(source_.Rewind());

    std::vector<json> records = Take(options, 15);

    std::vector<int> ids = Ids(records);
    ASSERT_EQ(ids.size(), 15U);
    for (size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(ids[i + 5], ids[i] + 5);
      // The data's days are January 1 to February 1.
      EXPECT_EQ(times_[i + 5] - times_[i], std::chrono::days(32));
      EXPECT_EQ(records[i + 5]["dep_time"], records[i]["dep_time"]);
    }
  }
}

TEST_F(FlightReplayTest, ALoopOverNothingEnds) {
  ScratchFile empty("empty.csv", "year,month,day,carrier,origin,dest\n");
  CsvFlights source({.files = {empty.path()}, .layout = ""}, rejected_);
  FlightReplay::Options options = Options();
  options.loops = true;
  FlightReplay replay(source, options);
  ASSERT_OK(replay.Load({}, [](uint64_t) {}));
  Record record;

  EXPECT_EQ(replay.Next(record), false);
}

TEST_F(FlightReplayTest, SpillingChangesNothing) {
  std::string csv = "year,month,day,sched_dep_time,carrier,origin,dest\n";
  for (int i = 0; i < 30'000; ++i) {
    csv += "2013," + std::to_string(i * 7 % 12 + 1) + "," + std::to_string(i * 11 % 28 + 1) + "," +
           std::to_string(i % 24 * 100 + i % 60) + ",UA,EWR,IAH\n";
  }
  ScratchFile file("many.csv", csv);
  auto read = [&](size_t memory_bytes, uint64_t& spilled) {
    CsvFlights source({.files = {file.path()}, .layout = ""}, rejected_);
    FlightReplay::Options options = Options();
    options.sort_memory_bytes = memory_bytes;
    FlightReplay replay(source, options);
    EXPECT_OK(replay.Load({}, [](uint64_t) {}));
    std::string all;
    Record record;
    while (replay.Next(record) == true)
      all.append(record.value).push_back('\n');
    spilled = replay.spilled_run_count();
    return all;
  };
  uint64_t none = 0;
  uint64_t some = 0;

  std::string in_memory = read(100 << 20, none);
  std::string spilled = read(EventSorter::kMemoryBytesMin, some);

  EXPECT_EQ(none, 0U);
  EXPECT_GT(some, 0U);
  EXPECT_TRUE(in_memory == spilled);
}

TEST_F(FlightReplayTest, AnInterruptEndsTheReading) {
  std::string csv = "year,month,day,carrier,origin,dest\n";
  for (int i = 0; i < 10'000; ++i)
    csv += "2013,1,1,UA,EWR,IAH\n";
  ScratchFile file("many.csv", csv);
  CsvFlights source({.files = {file.path()}, .layout = ""}, rejected_);
  FlightReplay replay(source, Options());
  std::stop_source stop;
  stop.request_stop();

  EXPECT_EQ(replay.Load(stop.get_token(), [](uint64_t) {}).code(), Code::kCancelled);
}

}  // namespace
}  // namespace slipstream::producer
