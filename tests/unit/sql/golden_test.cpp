// Statements and what the planner makes of them: plans, answers of DESCRIBE and the like, errors.
// The tables they read are in golden/tables.sql.

#include "tests/unit/sql/golden.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "processor/planner/planner.h"

namespace slipstream::sql {
namespace {

std::string Trimmed(std::string text) {
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

std::string Answer(const GoldenCase& golden, bool is_bounded) {
  Planner planner({.every_input_is_bounded = is_bounded});
  const Status loaded =
      planner.LoadCatalog("tables.sql", ReadSource("tests/unit/sql/golden/tables.sql"));
  EXPECT_TRUE(loaded.ok()) << loaded.message();
  const Result<JobPlan> job = planner.Plan("query", Trimmed(golden.input));
  if (!job.ok()) return job.error().message();
  std::string text;
  for (const auto& [key, value] : job->settings)
    text += "Set " + key + " = " + value + "\n";
  for (const std::string& explanation : job->explanations)
    text += Trimmed(explanation) + "\n";
  for (const InsertPlan& insert : job->inserts)
    text += Explain(insert);
  for (const JobPlan::Query& query : job->queries)
    text += Explain(*query.query);
  return text;
}

void Check(const std::string& path, bool is_bounded) {
  std::vector<std::string> actual;
  for (const GoldenCase& golden : ReadGoldenCases(path)) {
    actual.push_back(Answer(golden, is_bounded));
  }
  EXPECT_GT(actual.size(), 5U);
  CheckGoldenCases(path, actual);
}

TEST(PlannerGoldenTest, StreamingPlans) {
  Check("tests/unit/sql/golden/streaming.txt", false);
}

TEST(PlannerGoldenTest, BoundedPlans) {
  Check("tests/unit/sql/golden/bounded.txt", true);
}

TEST(PlannerGoldenTest, Errors) {
  Check("tests/unit/sql/golden/errors.txt", false);
}

TEST(PlannerGoldenTest, RefusedByName) {
  Check("tests/unit/sql/golden/refused.txt", false);
}

}  // namespace
}  // namespace slipstream::sql
