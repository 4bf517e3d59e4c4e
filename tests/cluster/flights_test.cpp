// Flights end to end, undisturbed: CSV → producer → Kafka → the shipped jobs → topics and
// replicated files. The truth comes from the CSV by code of the tests' own.

#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/cluster/flight_truth.h"
#include "tests/cluster/flights_checks.h"
#include "tests/cluster/flights_pipeline.h"
#include "tests/support/assert_ok.h"
#include "tests/support/job_commands.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

constexpr const char* kJobs[] = {"flights_by_carrier", "flights_delays", "flights_structured"};

// Asks the stored flights for their figures, by SQL.
void CheckFigures(const FlightsPipeline& pipeline, const FlightFigures& figures) {
  const FlightsPipeline::Run tables{.job = "flights_by_carrier"};
  ASSERT_OK_AND_ASSIGN(
      const std::string counts,
      pipeline.Query(tables,
                     "SELECT COUNT(*) AS flights,"
                     " COUNT(*) FILTER (WHERE dep_time IS NULL) AS cancelled,"
                     " COUNT(*) FILTER (WHERE dep_time IS NOT NULL AND arr_delay IS NULL) AS lost "
                     "FROM flights_by_carrier"));
  EXPECT_EQ(counts,
            fmt::format("flights,cancelled,lost\n{},{},{}\n",
                        figures.flights,
                        figures.cancelled,
                        figures.departed_without_delay));
  for (const auto& [column, delays] :
       {std::pair("dep_delay", figures.departure), std::pair("arr_delay", figures.arrival)}) {
    ASSERT_OK_AND_ASSIGN(
        const std::string answer,
        pipeline.Query(tables,
                       fmt::format("SELECT COUNT({0}) AS a, COUNT(*) FILTER (WHERE {0} > 0) AS b,"
                                   " COUNT(*) FILTER (WHERE {0} >= 15) AS c, MIN({0}) AS d,"
                                   " MAX({0}) AS e FROM flights_by_carrier",
                                   column)));
    EXPECT_EQ(answer,
              fmt::format("a,b,c,d,e\n{},{},{},{},{}\n",
                          delays.present,
                          delays.above_zero,
                          delays.at_least_15,
                          delays.min,
                          delays.max));
  }
  for (const auto& [column, counts_by] :
       {std::pair("origin", figures.by_origin), std::pair("carrier", figures.by_carrier)}) {
    std::string expected = fmt::format("{},flights\n", column);
    for (const auto& [name, count] : counts_by)
      expected += fmt::format("{},{}\n", name, count);
    ASSERT_OK_AND_ASSIGN(
        const std::string answer,
        pipeline.Query(tables,
                       fmt::format("SELECT {0}, COUNT(*) AS flights FROM flights_by_carrier "
                                   "GROUP BY {0} ORDER BY {0}",
                                   column)));
    EXPECT_EQ(answer, expected);
  }
}

// The batch job over what flights_by_carrier stored.
void CheckReport(FlightsPipeline& pipeline, const FlightTruth& truth) {
  const FlightsPipeline::Run report{.job = "carrier_report", .is_bounded = false};
  ASSERT_OK(pipeline.RunJob(report));
  ASSERT_OK_AND_ASSIGN(const auto once, pipeline.StoredLines("", "reports/carriers/*"));
  ExpectCarriers(truth, once);

  // INSERT INTO adds: whoever wants the new report alone removes the old one.
  ASSERT_OK(pipeline.RunJob(report));
  ASSERT_OK_AND_ASSIGN(const auto twice, pipeline.StoredLines("", "reports/carriers/*"));
  EXPECT_EQ(twice.size(), 2 * once.size());
  ASSERT_OK(pipeline.dfs().MustDfs({"rm", "-r", "/reports"}));
  ASSERT_OK(pipeline.RunJob(report));
  ASSERT_OK_AND_ASSIGN(const auto again, pipeline.StoredLines("", "reports/carriers/*"));
  EXPECT_EQ(again, once);
}

// `processor query` in each of its formats.
void CheckFormats(const FlightsPipeline& pipeline, const FlightTruth& truth) {
  const auto [carrier, count] = *truth.Figures().by_carrier.begin();
  const std::string sql = fmt::format(
      "SELECT carrier, COUNT(*) AS flights FROM flights_by_carrier WHERE carrier = '{}' "
      "GROUP BY carrier",
      carrier);
  const FlightsPipeline::Run tables{.job = "flights_by_carrier"};

  ASSERT_OK_AND_ASSIGN(const std::string csv, pipeline.Query(tables, sql, "csv"));
  EXPECT_EQ(csv, fmt::format("carrier,flights\n{},{}\n", carrier, count));
  ASSERT_OK_AND_ASSIGN(const std::string json, pipeline.Query(tables, sql, "json"));
  EXPECT_EQ(json, fmt::format("{{\"carrier\":\"{}\",\"flights\":{}}}\n", carrier, count));
  ASSERT_OK_AND_ASSIGN(const std::string table, pipeline.Query(tables, sql, "table"));
  EXPECT_NE(table.find("| carrier |"), std::string::npos) << table;
  EXPECT_NE(table.find(std::to_string(count)), std::string::npos) << table;
}

// Sends the file, runs the three streaming jobs side by side, and compares all they stored.
void RunAndCheck(FlightsPipeline& pipeline,
                 const std::filesystem::path& csv,
                 const FlightTruth& truth) {
  ASSERT_OK(pipeline.Send({"--csv=" + csv.string()}));
  std::vector<std::unique_ptr<Process>> jobs;
  for (const char* job : kJobs) {
    ASSERT_OK_AND_ASSIGN(jobs.emplace_back(), pipeline.StartJob({.job = job, .state_dir = job}));
  }
  for (const auto& job : jobs) {
    ASSERT_OK_AND_ASSIGN(ExitStatus exit, job->Wait(std::chrono::minutes(3)));
    ASSERT_EQ(exit.code, 0) << job->Stderr();
  }

  ASSERT_OK_AND_ASSIGN(auto flights, pipeline.StoredFlights(""));
  ExpectStoredFlights(truth, flights);
  ASSERT_OK_AND_ASSIGN(auto delays, pipeline.StoredLines("", "delays/*"));
  ExpectDelays(truth, delays);
  ASSERT_OK_AND_ASSIGN(auto structured, pipeline.StructuredFlights(""));
  ExpectStructuredFlights(truth, structured);

  for (const char* job : kJobs) {
    // A sorted replay has no late row.
    ASSERT_OK_AND_ASSIGN(int64_t late, pipeline.Counter(job, "rows_late"));
    EXPECT_EQ(late, 0) << job;
    ASSERT_OK_AND_ASSIGN(int64_t dead, pipeline.Counter(job, "rows_dead"));
    EXPECT_EQ(dead, 0) << job;
    ASSERT_OK_AND_ASSIGN(int64_t in, pipeline.Counter(job, "rows_in"));
    EXPECT_EQ(in, truth.Figures().flights) << job;
  }
  ASSERT_OK_AND_ASSIGN(auto letters, pipeline.client().ReadAll("flights-topic.dead-letter"));
  EXPECT_EQ(letters.size(), 0U);
  CheckFigures(pipeline, truth.Figures());
  CheckReport(pipeline, truth);
}

TEST(FlightsTest, EveryFlightOfASynthesisedYearIsStoredOnce) {
  const TempDir dir("flights");
  ASSERT_OK_AND_ASSIGN(auto pipeline, FlightsPipeline::Start(dir.path()));
  const std::filesystem::path csv = dir / "year.csv";
  ASSERT_OK_AND_ASSIGN(
      ToolResult result,
      RunTool(
          {.program = "producer",
           .args = {"flights", "--synthetic", "--flights=60000", "--write-csv", csv.string()}}));
  ASSERT_EQ(result.exit.code, 0) << result.err;
  ASSERT_OK_AND_ASSIGN(const FlightTruth truth, FlightTruth::Read(csv));
  ASSERT_EQ(truth.Figures().flights, 60'000);
  ASSERT_GT(truth.Figures().cancelled, 0);

  RunAndCheck(*pipeline, csv, truth);
  CheckFormats(*pipeline, truth);
}

TEST(FlightsTest, EveryFlightOutOfNewYorkIn2013IsStoredOnce) {
  const std::filesystem::path csv = DatasetsDir() / "nycflights13/flights.csv.zst";
  if (DatasetsDir().empty() || !std::filesystem::exists(csv)) {
    GTEST_SKIP() << "needs nycflights13/flights.csv.zst in the folder SLIPSTREAM_DATASETS";
  }
  ASSERT_OK_AND_ASSIGN(const FlightTruth truth, FlightTruth::Read(csv));
  EXPECT_TRUE(truth.Figures() == NycFigures());
  const TempDir dir("flights-nyc");
  ASSERT_OK_AND_ASSIGN(auto pipeline, FlightsPipeline::Start(dir.path()));

  RunAndCheck(*pipeline, csv, truth);
}

}  // namespace
}  // namespace slipstream::test_support
