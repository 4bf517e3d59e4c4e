#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/clock/manual_clock.h"
#include "gateway/charts/chart.h"
#include "gateway/charts/chart_feed.h"
#include "gateway/charts/chart_folder.h"
#include "gateway/charts/chart_rows.h"
#include "gateway/charts/row_source.h"
#include "tests/support/assert_ok.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::gateway::charts {
namespace {

using nlohmann::json;

json Description() {
  return {{"title", "T"}, {"type", "lines"}, {"source", {{"topic", "t"}}}, {"value", "v"}};
}

ChartQuery Query(ChartQuery::Aggregate aggregate) {
  return {.place = "t", .time = "at", .group = "g", .value = "v", .aggregate = aggregate};
}

void Add(ChartRows& rows, const json& row) {
  rows.Add({.json = row.dump(), .at_ms = 5});
}

TEST(ChartTest, IsReadWithItsDefaults) {
  const Chart chart = ParseChart("name", Description().dump()).value();
  EXPECT_EQ(chart.name, "name");
  EXPECT_EQ(chart.type, Chart::Type::kLines);
  EXPECT_EQ(chart.query.source, ChartQuery::Source::kTopic);
  EXPECT_EQ(chart.query.aggregate, ChartQuery::Aggregate::kAverage);
  EXPECT_FALSE(chart.marks.has_value());
}

TEST(ChartTest, WhatIsWrongIsRefused) {
  const auto is_refused = [](const json& description) {
    return ParseChart("n", description.dump()).status().code() == Code::kInvalidArgument;
  };
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, json>>{{"title", ""},
                                                 {"title", 7},
                                                 {"title", std::string(1'001, 'x')},
                                                 {"type", "pie"},
                                                 {"source", {{"topic", "t"}, {"files", "/x"}}},
                                                 {"source", {{"files", "relative"}}},
                                                 {"source", {{"topic", ""}}},
                                                 {"source", "t"},
                                                 {"group", 7},
                                                 {"group", {{"hour_of", "elsewhere"}}},
                                                 {"value", ""},
                                                 {"aggregate", "median"},
                                                 {"min", "0"},
                                                 {"tittle", "T"},
                                                 {"marks", {{"value", "v"}}},
                                                 {"marks", "m"}}) {
    json description = Description();
    description[name] = value;
    EXPECT_TRUE(is_refused(description)) << description;
  }
  json weighted = Description();
  weighted["weight"] = "w";
  EXPECT_FALSE(is_refused(weighted));
  weighted["aggregate"] = "sum";
  EXPECT_TRUE(is_refused(weighted));
  for (const char* text : {"", "[]", "{", "7"})
    EXPECT_EQ(ParseChart("n", text).status().code(), Code::kInvalidArgument) << text;
}

TEST(ChartTest, EveryShippedOneIsRight) {
  int count = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(test_support::SourceDir() / "dashboards")) {
    if (file.path().extension() != ".json") continue;
    ++count;
    std::ifstream stream(file.path());
    const std::string written{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_OK(ParseChart(file.path().stem().string(), written).status()) << file.path();
  }
  EXPECT_GE(count, 8);
}

TEST(ParseTimeTest, TakesWhatSqlAndJsonWrite) {
  EXPECT_EQ(ParseTime("1970-01-02"), 86'400'000);
  EXPECT_EQ(ParseTime("1970-01-01 00:01"), 60'000);
  EXPECT_EQ(ParseTime("1970-01-01T00:00:01.250Z"), 1'250);
  EXPECT_EQ(ParseTime("2024-02-29 23:59:59.999"), 1'709'251'199'999);
  for (const char* bad : {"",
                          "1970",
                          "1970-13-01",
                          "2023-02-29",
                          "1970-01-01 x",
                          "1970-01-01 00:00:99",
                          "1970-01-01 00:00:nan",
                          "1970/01/01",
                          "today"})
    EXPECT_EQ(ParseTime(bad), std::nullopt) << bad;
}

TEST(ChartRowsTest, AggregatesByGroupAndStep) {
  using Aggregate = ChartQuery::Aggregate;
  const std::vector<std::pair<Aggregate, double>> expected = {{Aggregate::kSum, 9},
                                                              {Aggregate::kAverage, 3},
                                                              {Aggregate::kMin, 1},
                                                              {Aggregate::kMax, 6},
                                                              {Aggregate::kLast, 2},
                                                              {Aggregate::kCount, 3}};
  for (const auto& [aggregate, value] : expected) {
    ChartRows rows(Query(aggregate));
    Add(rows, {{"g", "a"}, {"at", 100}, {"v", 1}});
    Add(rows, {{"g", "a"}, {"at", 199}, {"v", 2}});
    Add(rows, {{"g", "b"}, {"at", 150}, {"v", "70"}});
    Add(rows, {{"g", "a"}, {"at", 110}, {"v", 6}});
    const auto groups = rows.Summarize({}, 2);
    ASSERT_EQ(groups.size(), 2U);
    EXPECT_EQ(groups[0].name, "a");
    EXPECT_EQ(groups[0].value, value) << NameOf(aggregate);
    ASSERT_EQ(groups[0].points.size(), 2U);
    EXPECT_EQ(groups[0].points[0].at_ms, 125);
    EXPECT_EQ(groups[0].points[1].value, aggregate == Aggregate::kCount ? 1 : 2);
  }
}

TEST(ChartRowsTest, AverageGoesByWeight) {
  ChartQuery query = Query(ChartQuery::Aggregate::kAverage);
  query.weight = "w";
  ChartRows rows(query);
  Add(rows, {{"g", "a"}, {"at", 1}, {"v", 10}, {"w", 3}});
  Add(rows, {{"g", "a"}, {"at", 2}, {"v", 50}, {"w", 1}});
  EXPECT_EQ(rows.Summarize({}, 0)[0].value, 20);
}

TEST(ChartRowsTest, TakesARangeOfTime) {
  ChartRows rows(Query(ChartQuery::Aggregate::kSum));
  for (int at = 0; at < 10; ++at)
    Add(rows, {{"g", "a"}, {"at", at}, {"v", 1}});
  EXPECT_EQ(rows.Summarize({.from_ms = 2, .to_ms = 5}, 0)[0].value, 3);
  EXPECT_EQ(rows.Summarize({.from_ms = 8}, 0)[0].value, 2);
  EXPECT_TRUE(rows.Summarize({.from_ms = 10}, 3).empty());
  EXPECT_TRUE(rows.Summarize({.from_ms = 5, .to_ms = 2}, 3).empty());
  EXPECT_EQ(rows.Newest({.to_ms = 5}, 2).size(), 2U);
  EXPECT_EQ(rows.Newest({.to_ms = 5}, 2)[0].second.at_ms, 4);
}

TEST(ChartRowsTest, RowsThatDoNotFitArePassedOver) {
  ChartRows rows(Query(ChartQuery::Aggregate::kSum));
  for (const char* text : {"",
                           "7",
                           "{",
                           "{}",
                           R"({"g":"a","v":1})",
                           R"({"g":"a","at":"x","v":1})",
                           R"({"g":"a","at":1,"v":"x"})",
                           R"({"g":"a","at":1,"v":null})",
                           R"({"g":"a","at":1,"v":"inf"})",
                           R"({"g":"a","at":1.5,"v":1})",
                           "\xff"})
    rows.Add({.json = text});
  EXPECT_EQ(rows.row_count(), 0U);
  EXPECT_TRUE(rows.Summarize({}, 10).empty());
}

TEST(ChartRowsTest, FoldersAreColumnsAndHoursAreGroups) {
  ChartQuery query = Query(ChartQuery::Aggregate::kCount);
  query.time = "";
  const std::vector<std::pair<std::string, std::string>> folders = {{"g", "AA"}};
  ChartRows rows(query);
  rows.Add({.json = "{}", .at_ms = 1, .folders = &folders});
  rows.Add({.json = "{}", .at_ms = 2});
  ASSERT_EQ(rows.Summarize({}, 0).size(), 2U);
  EXPECT_EQ(rows.Summarize({}, 0)[0].name, "AA");
  EXPECT_EQ(rows.Summarize({}, 0)[1].name, "(none)");
  query.group = "";
  query.is_hour_of_day = true;
  ChartRows hours(query);
  hours.Add({.json = "{}", .at_ms = -1});
  hours.Add({.json = "{}", .at_ms = 3'600'000 * 25});
  EXPECT_EQ(hours.Summarize({}, 0)[0].name, "23:00");
  EXPECT_EQ(hours.Summarize({}, 0)[1].name, "01:00");
}

TEST(ChartRowsTest, KeepsTheNewestAndSaysSo) {
  ChartRows rows(Query(ChartQuery::Aggregate::kCount));
  for (size_t i = 0; i <= ChartRows::kRowsMax; ++i)
    rows.Add(
        {.json = R"({"g":")" + std::to_string(i % 3'000) + R"(","at":)" + std::to_string(i) + "}"});
  EXPECT_TRUE(rows.is_cut());
  EXPECT_LE(rows.row_count(), ChartRows::kRowsMax);
  EXPECT_EQ(rows.newest_ms(), static_cast<int64_t>(ChartRows::kRowsMax));
  EXPECT_GT(*rows.first_ms(), 0);
  EXPECT_EQ(rows.Summarize({}, 0).size(), ChartRows::kGroupsMax + 1);
}

// A source that gives what it is told.
class FakeSource final : public RowSource {
 public:
  struct Script {
    std::vector<std::string> next;
    Progress progress;
    Status status;
    int turns = 0;
  };
  explicit FakeSource(Script& script) : script_(script) {}

  Result<Progress> ReadOn(const Take& take) override {
    ++script_.turns;
    RETURN_IF_ERROR(script_.status);
    for (const std::string& row : std::exchange(script_.next, {}))
      take({.json = row, .at_ms = 1'000});
    return script_.progress;
  }

 private:
  Script& script_;
};

class ChartFeedTest : public ::testing::Test {
 protected:
  test_support::TempDir dir_{"charts"};
  ManualClock clock_;
  FakeSource::Script script_;
  ChartFeed feed_{dir_.path(),
                  [this](const ChartQuery&) { return std::make_unique<FakeSource>(script_); },
                  clock_};

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_.path() / name) << text;
  }
  json Data() {
    const auto text = feed_.DataText({.chart = "c"});
    EXPECT_TRUE(text.ok()) << text.status().ToString();
    return text.ok() ? json::parse(*text) : json();
  }
};

TEST_F(ChartFeedTest, ReadsWhatIsLookedAtAndOnlyThat) {
  Write("c.json", Description().dump());
  feed_.Turn();
  EXPECT_EQ(script_.turns, 0);
  EXPECT_EQ(Data()["is_read"], false);
  script_.next = {R"({"v":1})", R"({"v":3})"};
  feed_.Turn();
  EXPECT_EQ(Data()["groups"][0]["value"], 2);
  EXPECT_EQ(Data()["rows"], 2);
  clock_.Advance(ChartFeed::kLookedAtFor + std::chrono::seconds(1));
  feed_.Turn();
  EXPECT_EQ(script_.turns, 1);
  clock_.Advance(ChartFeed::kForgetAfter);
  feed_.Turn();
  EXPECT_EQ(Data()["is_read"], false);
}

TEST_F(ChartFeedTest, AChangedFileIsAnotherChart) {
  EXPECT_EQ(feed_.DataText({.chart = "c"}).status().code(), Code::kNotFound);
  Write("c.json", "{");
  Write("c.txt", "no chart");
  feed_.Turn();
  EXPECT_EQ(feed_.DataText({.chart = "c"}).status().code(), Code::kInvalidArgument);
  const json list = json::parse(feed_.ListText())["charts"];
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["error"], "it is not a JSON object");
  Write("c.json", Description().dump());
  feed_.Turn();
  EXPECT_EQ(Data()["title"], "T");
  std::filesystem::remove(dir_.path() / "c.json");
  feed_.Turn();
  EXPECT_EQ(feed_.ListText(), R"({"charts":[]})");
}

TEST_F(ChartFeedTest, SaysWhatIsWrongWithASourceAndForgetsWhatIsGone) {
  Write("c.json", Description().dump());
  feed_.Turn();
  Data();
  script_.next = {R"({"v":1})"};
  feed_.Turn();
  script_.status = NotFound("no topic");
  feed_.Turn();
  EXPECT_EQ(Data()["trouble"], "no topic");
  EXPECT_EQ(Data()["rows"], 1);
  script_.status = {};
  script_.progress.must_forget = true;
  feed_.Turn();
  EXPECT_EQ(Data()["rows"], 0);
  EXPECT_FALSE(Data().contains("trouble"));
}

TEST_F(ChartFeedTest, TimeIsCountedBackFromTheNewestRow) {
  json description = Description();
  description["time"] = "at";
  Write("c.json", description.dump());
  feed_.Turn();
  Data();
  script_.next = {R"({"at":1000,"v":1})", R"({"at":2000,"v":5})"};
  feed_.Turn();
  const json last = json::parse(feed_.DataText({.chart = "c", .last_ms = 1'000}).value());
  EXPECT_EQ(last["groups"][0]["value"], 5);
  EXPECT_EQ(last["from_ms"], 1'001);
  EXPECT_EQ(last["to_ms"], 2'001);
}

}  // namespace
}  // namespace slipstream::gateway::charts
