#include "tests/cluster/flights_checks.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace slipstream::test_support {
namespace {

using nlohmann::json;

constexpr int kReportsMax = 5;

const std::set<std::string_view> kTextFields = {
    "carrier", "tailnum", "origin", "dest", "time_hour", "name"};

// Where the object differs from the flight; empty if it does not. `left_out` is the field that the
// object must not have.
std::string Difference(const FlightRow& flight, const json& object, std::string_view left_out) {
  for (std::string_view name : FlightRow::kNames) {
    const auto found = object.find(std::string(name));
    if (name == left_out) {
      if (found != object.end()) return fmt::format("{} is there", name);
      continue;
    }
    if (found == object.end()) return fmt::format("{} is missing", name);
    json expected;
    if (kTextFields.count(name) == 0) {
      if (const std::optional<int> number = flight.Number(name)) expected = *number;
    } else if (!flight.Text(name).empty()) {
      expected = flight.Text(name);
    }
    if (*found != expected)
      return fmt::format("{} is {}, not {}", name, found->dump(), expected.dump());
  }
  return {};
}

// FlightTally: ticks the flights of the truth off as they are met.
class FlightTally {
 public:
  explicit FlightTally(const FlightTruth& truth) {
    for (const FlightRow& row : truth.rows())
      flights_[*row.Number("id")].row = &row;
  }

  // The flight with the object's id; null, and a report, if there is none.
  const FlightRow* Tick(const json& object) {
    const auto id = object.find("id");
    const auto found = id == object.end() || !id->is_number_integer()
                           ? flights_.end()
                           : flights_.find(id->get<int>());
    if (found == flights_.end()) {
      Report("no such flight: " + object.dump());
      return nullptr;
    }
    ++found->second.times;
    return found->second.row;
  }

  void Report(const std::string& what) {
    if (++report_count_ <= kReportsMax) ADD_FAILURE() << what;
  }

  // Reports every flight that was not met exactly once.
  void Finish() {
    for (const auto& [id, flight] : flights_) {
      if (flight.times != 1) Report(fmt::format("flight {} is there {} times", id, flight.times));
    }
    EXPECT_EQ(report_count_, 0) << "differences in all, of which " << kReportsMax << " are shown";
  }

 private:
  struct Flight {
    const FlightRow* row = nullptr;
    int times = 0;
  };
  std::map<int, Flight> flights_;
  int report_count_ = 0;
};

template <class Row>
void ExpectSameRows(const std::vector<Row>& actual, const std::vector<Row>& expected) {
  std::vector<Row> missing;
  std::vector<Row> surplus;
  std::set_difference(
      expected.begin(), expected.end(), actual.begin(), actual.end(), std::back_inserter(missing));
  std::set_difference(
      actual.begin(), actual.end(), expected.begin(), expected.end(), std::back_inserter(surplus));
  EXPECT_EQ(actual.size(), expected.size());
  EXPECT_EQ(missing.size(), 0U);
  EXPECT_EQ(surplus.size(), 0U);
  for (size_t i = 0; i < std::min<size_t>(missing.size(), kReportsMax); ++i)
    ADD_FAILURE() << "missing: " << missing[i];
  for (size_t i = 0; i < std::min<size_t>(surplus.size(), kReportsMax); ++i)
    ADD_FAILURE() << "surplus: " << surplus[i];
}

std::optional<double> NumberOrNull(const json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<double>();
}

}  // namespace

void ExpectStoredFlights(const FlightTruth& truth,
                         const std::map<std::string, std::vector<std::string>>& lines_by_carrier) {
  FlightTally tally(truth);
  for (const auto& [carrier, lines] : lines_by_carrier) {
    for (const std::string& line : lines) {
      const json object = json::parse(line);
      const FlightRow* flight = tally.Tick(object);
      if (flight == nullptr) continue;
      std::string difference = Difference(*flight, object, "carrier");
      if (flight->Text("carrier") != carrier) difference += " is stored as of " + carrier;
      if (!difference.empty()) tally.Report(line + ": " + difference);
    }
  }
  tally.Finish();
}

void ExpectStructuredFlights(const FlightTruth& truth, const std::vector<KafkaRecord>& records) {
  FlightTally tally(truth);
  for (const KafkaRecord& record : records) {
    const std::string value = record.value.value_or("{}");
    const json object = json::parse(value);
    const FlightRow* flight = tally.Tick(object);
    if (flight == nullptr) continue;
    std::string difference = Difference(*flight, object, "");
    if (object.value("event_time", "") != MinuteText(flight->EventMinute())) {
      difference += " event_time is not " + MinuteText(flight->EventMinute());
    }
    if (record.key != flight->Text("origin")) {
      difference += " key is " + record.key.value_or("(none)");
    }
    if (!difference.empty()) tally.Report(value + ": " + difference);
  }
  tally.Finish();
}

void ExpectDelays(const FlightTruth& truth, const std::vector<std::string>& lines) {
  std::vector<DelayRow> delays;
  for (const std::string& line : lines) {
    const json object = json::parse(line);
    EXPECT_EQ(object.size(), 7U) << line;
    delays.push_back({.window_start = object.at("window_start"),
                      .window_end = object.at("window_end"),
                      .origin = object.at("origin"),
                      .carrier = object.at("carrier"),
                      .delayed_flights = object.at("delayed_flights"),
                      .avg_arr_delay = object.at("avg_arr_delay"),
                      .max_arr_delay = object.at("max_arr_delay")});
  }
  std::sort(delays.begin(), delays.end());
  ExpectSameRows(delays, truth.Delays());
}

void ExpectCarriers(const FlightTruth& truth, const std::vector<std::string>& lines) {
  std::vector<CarrierRow> carriers;
  for (const std::string& line : lines) {
    const json object = json::parse(line);
    carriers.push_back({.carrier = object.at("carrier"),
                        .flights = object.at("flights"),
                        .avg_dep_delay = NumberOrNull(object.at("avg_dep_delay")),
                        .avg_arr_delay = NumberOrNull(object.at("avg_arr_delay")),
                        .avg_air_time = NumberOrNull(object.at("avg_air_time")),
                        .score = NumberOrNull(object.at("score"))});
  }
  std::sort(carriers.begin(), carriers.end());
  ExpectSameRows(carriers, truth.Carriers());
}

}  // namespace slipstream::test_support
