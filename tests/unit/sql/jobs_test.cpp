// Every job that is shipped can be planned, and its plan is the one that was read and found good.

#include <string>

#include <gtest/gtest.h>

#include "processor/planner/planner.h"
#include "tests/unit/sql/golden.h"

namespace slipstream::sql {
namespace {

class JobsTest : public testing::TestWithParam<const char*> {};

TEST_P(JobsTest, PlansAsBefore) {
  const std::string name = GetParam();

  const Result<JobPlan> job = Planner({}).Plan(name, ReadSource("jobs/" + name + ".sql"));

  ASSERT_TRUE(job.ok()) << job.status().message();
  std::string text;
  for (const auto& [key, value] : job->settings)
    text += "Set " + key + " = " + value + "\n";
  for (const InsertPlan& insert : job->inserts)
    text += Explain(insert);
  CheckGoldenFile("tests/unit/sql/golden/" + name + ".plan", text);
}

INSTANTIATE_TEST_SUITE_P(Shipped,
                         JobsTest,
                         testing::Values("flights_structured",
                                         "flights_delays",
                                         "flights_by_carrier",
                                         "weather_1m",
                                         "carrier_report",
                                         "carrier_counts",
                                         "origin_counts",
                                         "alerts",
                                         "iot_windowed",
                                         "raw_ingest",
                                         "sensor_anomalies",
                                         "sensor_anomalies_robust"),
                         [](const auto& job) { return std::string(job.param); });

}  // namespace
}  // namespace slipstream::sql
