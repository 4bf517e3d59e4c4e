#include "processor/planner/planner.h"

#include <string>

#include <gtest/gtest.h>

namespace slipstream::sql {
namespace {

constexpr const char* kTable =
    "CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem');";

Result<JobPlan> PlanText(const std::string& text) {
  return Planner({}).Plan("query", kTable + text);
}

// The literal that `expression` means.
ExpressionPtr LiteralOf(const std::string& expression) {
  const Result<JobPlan> job = Planner({}).Plan("query", "VALUES (" + expression + ", a)");
  EXPECT_FALSE(job.ok());  // `a` is no column
  Result<JobPlan> plan = PlanText("SELECT " + expression + " FROM t");
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  return plan.ok() ? plan->queries.at(0).query->expressions.at(0) : nullptr;
}

void ExpectLiteral(const std::string& expression, const std::string& type, const Value& value) {
  const ExpressionPtr literal = LiteralOf(expression);
  ASSERT_EQ(literal->kind, Expression::Kind::kLiteral) << expression;
  EXPECT_EQ(literal->type.ToString(), type) << expression;
  EXPECT_EQ(literal->literal, value) << expression;
}

TEST(PlannerTest, LiteralsHaveFlinksTypes) {
  ExpectLiteral("1", "INT NOT NULL", int64_t{1});
  ExpectLiteral("-2147483647", "INT NOT NULL", int64_t{-2147483647});
  ExpectLiteral("3000000000", "BIGINT NOT NULL", int64_t{3'000'000'000});
  ExpectLiteral("9223372036854775808", "DECIMAL(19, 0) NOT NULL", Int128{9223372036854775807} + 1);
  ExpectLiteral("1.50", "DECIMAL(3, 2) NOT NULL", Int128{150});
  ExpectLiteral("-.05", "DECIMAL(2, 2) NOT NULL", Int128{-5});
  ExpectLiteral("2.5e3", "DOUBLE NOT NULL", 2500.0);
  ExpectLiteral("'größe'", "CHAR(5) NOT NULL", std::string("größe"));
  ExpectLiteral("TRUE", "BOOLEAN NOT NULL", true);
  ExpectLiteral("NULL", "NULL", std::monostate{});
}

TEST(PlannerTest, TimesAndIntervalsAreMicroseconds) {
  constexpr int64_t kSecond = 1'000'000;
  ExpectLiteral("DATE '1970-01-02'", "DATE NOT NULL", int64_t{1});
  ExpectLiteral("DATE '1969-12-31'", "DATE NOT NULL", int64_t{-1});
  ExpectLiteral("TIME '00:01:00'", "TIME(0) NOT NULL", 60 * kSecond);
  ExpectLiteral("TIMESTAMP '1970-01-01 00:00:01.250'", "TIMESTAMP(3) NOT NULL", int64_t{1'250'000});
  ExpectLiteral(
      "TIMESTAMP '2013-01-01 05:15:00'", "TIMESTAMP(0) NOT NULL", int64_t{1'357'017'300} * kSecond);
  ExpectLiteral("INTERVAL '5' MINUTES", "INTERVAL DAY TO SECOND NOT NULL", 300 * kSecond);
  ExpectLiteral("INTERVAL -'1.5' SECOND", "INTERVAL DAY TO SECOND NOT NULL", -3 * kSecond / 2);
  ExpectLiteral("INTERVAL '1 02:03:04.000005' DAY TO SECOND",
                "INTERVAL DAY TO SECOND NOT NULL",
                (((24 + 2) * 60 + 3) * 60 + 4) * kSecond + 5);
  ExpectLiteral("INTERVAL '1-6' YEAR TO MONTH", "INTERVAL YEAR TO MONTH NOT NULL", int64_t{18});
  ExpectLiteral("-INTERVAL '2' WEEK", "INTERVAL DAY TO SECOND NOT NULL", -14 * 24 * 3600 * kSecond);
}

TEST(PlannerTest, WrongLiteralsAreRefused) {
  for (const char* const text : {"DATE '2013-13-01'",
                                 "DATE '2013-1-1 '",
                                 "TIME '24:00'",
                                 "TIMESTAMP '2013-01-01'",
                                 "INTERVAL 'x' DAY",
                                 "INTERVAL '1' MONTH TO DAY",
                                 "INTERVAL '999999999999' YEAR",
                                 "INTERVAL '' DAY",
                                 "1e999",
                                 "1234567890123456789012345678901234567890",
                                 "INTERVAL '999999999999' DAY"}) {
    EXPECT_EQ(PlanText(std::string("SELECT ") + text).status().code(), Code::kInvalidArgument)
        << text;
  }
}

TEST(PlannerTest, SettingsGivenBeforeAreOverriddenByTheFile) {
  Planner planner({.settings = {{"a", "1"}, {"b", "1"}}});
  ASSERT_TRUE(planner.LoadCatalog("catalog.sql", "SET 'b' = '2'; SET 'c' = '2';").ok());

  const Result<JobPlan> job = planner.Plan("job.sql", "SET 'c' = '3';");

  EXPECT_EQ(job->settings, (Options{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
}

TEST(PlannerTest, CatalogInsertsAreCheckedNotKept) {
  Planner planner({});
  ASSERT_TRUE(
      planner.LoadCatalog("catalog.sql", std::string(kTable) + "INSERT INTO t VALUES (1, 'a');")
          .ok());

  const Result<JobPlan> job = planner.Plan("query", "SELECT b FROM t");

  ASSERT_TRUE(job.ok()) << job.status().message();
  EXPECT_TRUE(job->inserts.empty());
  EXPECT_EQ(job->queries.size(), 1U);
}

TEST(PlannerTest, HintsChangeACopyOfTheTable) {
  const Result<JobPlan> job =
      PlanText("SELECT * FROM t /*+ OPTIONS('path' = '/x') */; SELECT * FROM t;");

  ASSERT_TRUE(job.ok()) << job.status().message();
  EXPECT_EQ(job->queries[0].query->table->options.at("path"), "/x");
  EXPECT_FALSE(job->queries[1].query->table->options.contains("path"));
}

TEST(PlannerTest, EqualHintsReadOneTable) {
  const Result<JobPlan> job = PlanText(
      "SELECT * FROM t /*+ OPTIONS('path' = '/x') */; SELECT a FROM t /*+ OPTIONS('path' = '/x') "
      "*/;");

  ASSERT_TRUE(job.ok()) << job.status().message();
  EXPECT_EQ(job->queries[0].query->table, job->queries[1].query->table);
}

TEST(PlannerTest, ViewsInACircleEnd) {
  const Status status =
      PlanText(
          "CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v; DROP VIEW v;"
          "CREATE VIEW v AS SELECT a FROM w; SELECT * FROM v;")
          .status();

  EXPECT_EQ(status.code(), Code::kInvalidArgument);
}

TEST(PlannerTest, ViewsThatDoubleAreBounded) {
  std::string text = "CREATE VIEW v0 AS VALUES (1);";
  for (int i = 1; i < 60; ++i) {
    const std::string below = "v" + std::to_string(i - 1);
    text += "CREATE VIEW v" + std::to_string(i) + " AS SELECT * FROM " + below +
            " UNION ALL SELECT * FROM " + below + ";";
  }

  EXPECT_EQ(PlanText(text).status().code(), Code::kInvalidArgument);
}

// Expressions of stacked views are merged only while their trees stay walkable.
TEST(PlannerTest, TallExpressionsOfStackedViewsStayApart) {
  std::string text;
  std::string below = "t";
  for (int i = 0; i < 40; ++i) {
    std::string sum = "a";
    for (int j = 0; j < 300; ++j)
      sum += " + 1";
    const std::string view = "v" + std::to_string(i);
    text += "CREATE VIEW " + view + " AS SELECT " + sum + " AS a FROM " + below + ";";
    below = view;
  }

  const Result<JobPlan> job = PlanText(text + "SELECT a FROM " + below);

  ASSERT_TRUE(job.ok()) << job.status().message().substr(0, 500);
  EXPECT_FALSE(Explain(*job->queries[0].query).empty());
}

}  // namespace
}  // namespace slipstream::sql
