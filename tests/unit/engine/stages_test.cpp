// Jobs of several stages give what the same job gives as one task, whatever the order in which
// tasks read, commit and die.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "processor/engine/job_compiler.h"
#include "processor/planner/planner.h"
#include "tests/unit/engine/staged_run.h"

namespace slipstream::sql {
namespace {

constexpr int kRecords = 300;
constexpr int32_t kPartitions = 3;

// Two topics of events: key k, value v, event time ts, out of order by less than the delay.
constexpr char kTables[] =
    "CREATE TABLE a (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '10' "
    "SECOND) WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json', "
    "'scan.startup.mode' = 'earliest-offset');"
    "CREATE TABLE b (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '10' "
    "SECOND) WITH ('connector' = 'kafka', 'topic' = 'b', 'format' = 'json', "
    "'scan.startup.mode' = 'earliest-offset');"
    // The first topic once more, with other columns and a time that is behind.
    "CREATE TABLE again (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '30' "
    "SECOND) WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json', "
    "'scan.startup.mode' = 'earliest-offset');";

// `settings`: statements before all others.
std::unique_ptr<runtime::JobProgram> Compile(const std::string& columns,
                                             const std::string& query,
                                             int32_t partitions,
                                             bool is_bounded,
                                             const std::string& settings = "") {
  const std::string text =
      fmt::format("{}{}CREATE TABLE r ({}) WITH ('connector' = 'print'); INSERT INTO r {};",
                  settings,
                  kTables,
                  columns,
                  query);
  Result<JobPlan> plan = Planner({.every_input_is_bounded = is_bounded}).Plan("job", text);
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  Result<std::unique_ptr<runtime::JobProgram>> program = CompileJob(
      *plan,
      {.is_bounded = is_bounded, .partition_count = [partitions](const runtime::KafkaSourceSpec&) {
         return Result<int32_t>(partitions);
       }});
  EXPECT_TRUE(program.ok()) << program.status().ToString();
  return std::move(program).value();
}

// Disorder up to `disorder_s`, whichever partition a record lies in; by default within the delay.
StagedRun::Input MakeInput(uint64_t seed, int32_t partitions, int disorder_s = 10) {
  std::mt19937_64 random(seed);
  StagedRun::Input input;
  for (const char* topic : {"a", "b"}) {
    for (int i = 0; i < kRecords; ++i) {
      const auto second = static_cast<int64_t>(i) +
                          static_cast<int64_t>(random() % static_cast<uint64_t>(disorder_s));
      const auto partition = static_cast<int32_t>(random() % static_cast<uint64_t>(3));
      input[topic].emplace_back(
          partition % partitions,
          fmt::format(R"({{"k":"k{}","v":{},"ts":"2020-01-01 00:{:02}:{:02}"}})",
                      random() % 7,
                      random() % 100,
                      second / 60,
                      second % 60));
    }
  }
  return input;
}

struct Query {
  const char* name;
  const char* columns;
  const char* text;
  bool is_bounded = false;
};

class StagesTest : public testing::TestWithParam<Query> {};

TEST_P(StagesTest, GiveWhatOneTaskGives) {
  const Query& query = GetParam();
  uint64_t crashes = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const auto whole = Compile(query.columns, query.text, 1, query.is_bounded);
    StagedRun expected(*whole, MakeInput(seed, 1), 1, seed);
    expected.Run();
    const auto staged = Compile(query.columns, query.text, kPartitions, query.is_bounded);

    StagedRun run(*staged, MakeInput(seed, kPartitions), kPartitions, seed * 7919);
    run.Run();

    ASSERT_EQ(run.Result(), expected.Result()) << "seed " << seed;
    ASSERT_FALSE(run.Result().empty());
    EXPECT_EQ(run.late_rows(), 0U);
    crashes += run.crashes();
  }
  EXPECT_GT(crashes, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Queries,
    StagesTest,
    testing::Values(
        Query{"TwoTablesOfOneTopic",
              "e TIMESTAMP(3), k STRING, n BIGINT, s INT",
              "SELECT TUMBLE_END(ts, INTERVAL '20' SECOND), k, COUNT(*), SUM(v) FROM a GROUP BY k, "
              "TUMBLE(ts, INTERVAL '20' SECOND) UNION ALL SELECT TUMBLE_END(ts, INTERVAL '15' "
              "SECOND), 'all', COUNT(*), MAX(v) FROM again GROUP BY TUMBLE(ts, INTERVAL '15' "
              "SECOND)"},
        Query{"AJoinOfTwoTablesOfOneTopic",
              "k STRING, v INT",
              "SELECT a.k, again.v FROM a JOIN again ON a.v = again.v AND a.ts BETWEEN again.ts "
              "AND again.ts + INTERVAL '2' SECOND"},
        Query{"WindowAggregate",
              "k STRING, e TIMESTAMP(3), n BIGINT, s INT, m INT",
              "SELECT k, window_end, COUNT(*), SUM(v), MAX(v) FROM TABLE(TUMBLE(TABLE a, "
              "DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY k, window_start, window_end"},
        Query{"WindowOfAllRows",
              "e TIMESTAMP(3), n BIGINT, d BIGINT",
              "SELECT window_end, COUNT(*), COUNT(DISTINCT k) FROM TABLE(HOP(TABLE a, "
              "DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND)) GROUP BY window_start, "
              "window_end"},
        Query{"Session",
              "k STRING, e TIMESTAMP(3), n BIGINT",
              "SELECT k, SESSION_END(ts, INTERVAL '8' SECOND), COUNT(*) FROM a GROUP BY k, "
              "SESSION(ts, INTERVAL '8' SECOND)"},
        Query{"RunningAggregate",
              "k STRING, n BIGINT, s INT, av DOUBLE",
              "SELECT k, COUNT(*), SUM(v), AVG(CAST(v AS DOUBLE)) FROM a GROUP BY k"},
        Query{"AggregateOfAnAggregate",
              "n BIGINT, c BIGINT",
              "SELECT n, COUNT(*) FROM (SELECT k, COUNT(*) AS n FROM a GROUP BY k) GROUP BY n"},
        Query{"BoundedAggregateOfAllRows", "n BIGINT", "SELECT COUNT(*) FROM a WHERE v < 0", true},
        Query{"UnionOfTwoTopics",
              "k STRING, v INT",
              "SELECT k, v FROM a UNION ALL SELECT k, v + 1000 FROM b"},
        Query{
            "AggregateOfAUnion",
            "k STRING, e TIMESTAMP(3), n BIGINT",
            "SELECT k, TUMBLE_END(ts, INTERVAL '20' SECOND), COUNT(*) FROM (SELECT * FROM a UNION "
            "ALL SELECT * FROM b) GROUP BY k, TUMBLE(ts, INTERVAL '20' SECOND)"},
        Query{"UnionOfAggregates",
              "k STRING, n BIGINT",
              "SELECT k, COUNT(*) FROM a GROUP BY k UNION ALL SELECT k, SUM(v) FROM b GROUP BY k"},
        Query{"UnionOfRowsAndAnAggregate",
              "k STRING, n BIGINT",
              "SELECT k, COUNT(*) FROM a GROUP BY k UNION ALL SELECT k, CAST(v AS BIGINT) FROM b"},
        Query{"RegularJoin",
              "k STRING, n BIGINT, m INT",
              "SELECT x.k, x.n, y.m FROM (SELECT k, COUNT(*) AS n FROM a GROUP BY k) AS x JOIN "
              "(SELECT k, MAX(v) AS m FROM b GROUP BY k) AS y ON x.k = y.k"},
        Query{"LeftJoinOfRows",
              "k STRING, v INT, w INT",
              "SELECT a.k, a.v, b.v FROM a LEFT JOIN b ON a.k = b.k AND a.v = b.v"},
        Query{
            "IntervalJoin",
            "k STRING, v INT, w INT",
            "SELECT a.k, a.v, b.v FROM a JOIN b ON a.k = b.k AND a.ts BETWEEN b.ts - INTERVAL '5' "
            "SECOND AND b.ts + INTERVAL '5' SECOND"},
        Query{"SelfJoin",
              "k STRING, v INT, w INT",
              "SELECT x.k, x.v, y.v FROM a AS x JOIN a AS y ON x.k = y.k AND x.v = y.v"},
        Query{
            "FirstRow",
            "k STRING, ts TIMESTAMP(3)",
            "SELECT k, ts FROM (SELECT k, ts, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS n "
            "FROM a) WHERE n = 1"},
        Query{
            "TopN",
            "k STRING, v INT",
            "SELECT k, v FROM (SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) AS "
            "n FROM a) WHERE n <= 3"},
        Query{"WindowedCountOfAnAggregate",
              "e TIMESTAMP(3), n BIGINT",
              "SELECT window_end, COUNT(*) FROM (SELECT k, window_start, window_end, COUNT(*) AS n "
              "FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY k, "
              "window_start, window_end) GROUP BY window_start, window_end"},
        Query{"Over",
              "k STRING, ts TIMESTAMP(3), n BIGINT",
              "SELECT k, ts, COUNT(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '30' "
              "SECOND PRECEDING AND CURRENT ROW) FROM a"}),
    [](const auto& test) { return std::string(test.param.name); });

// What depends on the order of rows goes by their times, whoever reads them when: two schedules
// over the same partitions give the same.
class OrderedAggregatesTest : public testing::TestWithParam<Query> {};

TEST_P(OrderedAggregatesTest, DoNotDependOnWhoReadsWhen) {
  const Query& query = GetParam();
  const auto program = Compile(query.columns, query.text, kPartitions, query.is_bounded);
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const StagedRun::Input input = MakeInput(seed, kPartitions);
    StagedRun first(*program, input, kPartitions, seed);
    first.Run();

    StagedRun second(*program, input, kPartitions, seed * 7919);
    second.Run();

    ASSERT_EQ(second.Result(), first.Result()) << "seed " << seed;
    ASSERT_FALSE(second.Result().empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Queries,
    OrderedAggregatesTest,
    testing::Values(
        Query{"Running",
              "k STRING, f INT, l INT, a STRING",
              "SELECT k, FIRST_VALUE(v), LAST_VALUE(v), LISTAGG(CAST(v AS STRING)) FROM a GROUP BY "
              "k"},
        Query{"Lists",
              "k STRING, a STRING, j STRING, o STRING",
              "SELECT k, CAST(ARRAY_AGG(v) AS STRING), JSON_ARRAYAGG(v), "
              "JSON_OBJECTAGG(CAST(v AS STRING) VALUE v) FROM a GROUP BY k"},
        Query{"Tumble",
              "k STRING, e TIMESTAMP(3), l INT, a STRING, n BIGINT",
              "SELECT k, window_end, LAST_VALUE(v), LISTAGG(CAST(v AS STRING), '-'), COUNT(*) FROM "
              "TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY k, "
              "window_start, window_end"},
        Query{"Session",
              "k STRING, e TIMESTAMP(3), f INT, a STRING",
              "SELECT k, SESSION_END(ts, INTERVAL '8' SECOND), FIRST_VALUE(v), LISTAGG(CAST(v AS "
              "STRING)) FILTER (WHERE v > 20) FROM a GROUP BY k, SESSION(ts, INTERVAL '8' SECOND)"},
        Query{
            "OfTwoTopics",
            "k STRING, f INT, l INT",
            "SELECT k, FIRST_VALUE(v), LAST_VALUE(v) FROM (SELECT * FROM a UNION ALL SELECT * FROM "
            "b) GROUP BY k"}),
    [](const auto& test) { return std::string(test.param.name); });

// By time, whatever the order within the partition.
TEST(OrderedAggregateTest, GoesByTimeThenPartitionThenOffset) {
  const auto program = Compile("f INT, l INT, a STRING",
                               "SELECT FIRST_VALUE(v), LAST_VALUE(v), LISTAGG(CAST(v AS STRING)) "
                               "FROM a",
                               2,
                               true);
  const auto row = [](int v, int second) {
    return fmt::format(R"({{"k":"x","v":{},"ts":"2020-01-01 00:00:{:02}"}})", v, second);
  };
  const StagedRun::Input input{
      {"a", {{1, row(4, 7)}, {1, row(1, 3)}, {0, row(2, 5)}, {0, row(3, 5)}, {1, row(5, 7)}}}};

  StagedRun run(*program, input, 2, 1);
  run.Run();

  EXPECT_EQ(run.Result(), std::vector<std::string>{"[1, 5, 1,2,3,4,5]"});
}

constexpr char kOnePhase[] = "SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE';";

// Aggregates whose rows are aggregated before they travel.
class TwoPhasesTest : public testing::TestWithParam<Query> {};

TEST_P(TwoPhasesTest, GiveWhatOnePhaseGives) {
  const Query& query = GetParam();
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const auto one = Compile(query.columns, query.text, kPartitions, query.is_bounded, kOnePhase);
    StagedRun expected(*one, MakeInput(seed, kPartitions), kPartitions, seed);
    expected.Run();
    const auto two = Compile(query.columns, query.text, kPartitions, query.is_bounded);

    StagedRun run(*two, MakeInput(seed, kPartitions), kPartitions, seed * 7919);
    run.Run();

    ASSERT_EQ(run.Result(), expected.Result()) << "seed " << seed;
    ASSERT_FALSE(run.Result().empty());
    EXPECT_LT(run.exchanged_rows(), expected.exchanged_rows());
  }
}

// Whether a row is late is said where it was said before: with the same order of reading and
// committing the same rows are, and the results are those of the rest.
TEST_P(TwoPhasesTest, DropTheRowsThatOnePhaseDrops) {
  const Query& query = GetParam();
  uint64_t late = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const StagedRun::Input input = MakeInput(seed, kPartitions, 60);
    const auto one = Compile(query.columns, query.text, kPartitions, query.is_bounded, kOnePhase);
    StagedRun expected(*one, input, kPartitions, seed);
    expected.Run();
    const auto two = Compile(query.columns, query.text, kPartitions, query.is_bounded);

    StagedRun run(*two, input, kPartitions, seed);
    run.Run();

    ASSERT_EQ(run.Result(), expected.Result()) << "seed " << seed;
    ASSERT_EQ(run.late_rows(), expected.late_rows()) << "seed " << seed;
    late += run.late_rows();
  }
  if (std::string_view(query.text).find("TABLE(") != std::string_view::npos) {
    EXPECT_GT(late, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Queries,
    TwoPhasesTest,
    testing::Values(
        Query{"Tumble",
              "k STRING, e TIMESTAMP(3), n BIGINT, s INT, m INT, av INT, sd DOUBLE",
              "SELECT k, window_end, COUNT(*), SUM(v), MAX(v), AVG(v), STDDEV_POP(CAST(v AS "
              "DOUBLE)) FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '20' SECOND)) GROUP BY "
              "k, window_start, window_end"},
        Query{"HopInSteps",
              "k STRING, e TIMESTAMP(3), n BIGINT, m INT",
              "SELECT k, window_end, COUNT(*), MIN(v) FROM TABLE(HOP(TABLE a, DESCRIPTOR(ts), "
              "INTERVAL '5' SECOND, INTERVAL '20' SECOND)) GROUP BY k, window_start, window_end"},
        Query{"HopThatDoesNotDivide",
              "k STRING, s TIMESTAMP(3), n BIGINT",
              "SELECT k, HOP_START(ts, INTERVAL '6' SECOND, INTERVAL '15' SECOND), COUNT(*) FROM a "
              "GROUP BY k, HOP(ts, INTERVAL '6' SECOND, INTERVAL '15' SECOND)"},
        Query{
            "HopWithGaps",
            "k STRING, s TIMESTAMP(3), n BIGINT",
            "SELECT k, HOP_START(ts, INTERVAL '20' SECOND, INTERVAL '15' SECOND), COUNT(*) FROM a "
            "GROUP BY k, HOP(ts, INTERVAL '20' SECOND, INTERVAL '15' SECOND)"},
        Query{"Cumulate",
              "e TIMESTAMP(3), n BIGINT, p DOUBLE",
              "SELECT window_end, COUNT(*), PERCENTILE(v, 0.9) FROM TABLE(CUMULATE(TABLE a, "
              "DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '40' SECOND)) GROUP BY window_start, "
              "window_end"},
        Query{"DistinctAndFiltered",
              "e TIMESTAMP(3), d BIGINT, f BIGINT, s INT",
              "SELECT window_end, COUNT(DISTINCT k), COUNT(*) FILTER (WHERE v > 50), SUM(DISTINCT "
              "v) FILTER (WHERE v < 30) FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '20' "
              "SECOND)) GROUP BY window_start, window_end"},
        Query{"WindowsOfWindows",
              "k STRING, e TIMESTAMP(3), n BIGINT",
              "SELECT k, window_end, COUNT(*) FROM (SELECT k, window_start, window_end FROM "
              "TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '20' SECOND))) GROUP BY k, "
              "window_start, window_end"},
        Query{"TwoTablesOfOneTopic",
              "e TIMESTAMP(3), k STRING, n BIGINT, s INT",
              "SELECT TUMBLE_END(ts, INTERVAL '20' SECOND), k, COUNT(*), SUM(v) FROM a GROUP BY k, "
              "TUMBLE(ts, INTERVAL '20' SECOND) UNION ALL SELECT TUMBLE_END(ts, INTERVAL '15' "
              "SECOND), 'all', COUNT(*), MAX(v) FROM again GROUP BY TUMBLE(ts, INTERVAL '15' "
              "SECOND)"},
        Query{"GroupingSets",
              "k STRING, e TIMESTAMP(3), n BIGINT",
              "SELECT k, window_end, COUNT(*) FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL "
              "'20' SECOND)) GROUP BY GROUPING SETS ((window_start, window_end, k), (window_start, "
              "window_end))"},
        Query{"Running",
              "k STRING, n BIGINT, s INT, av DOUBLE, d BIGINT, m INT",
              "SELECT k, COUNT(*), SUM(v), AVG(CAST(v AS DOUBLE)), COUNT(DISTINCT v), MIN(v) FROM "
              "a GROUP BY k"},
        Query{"Bounded", "n BIGINT, m INT", "SELECT COUNT(*), MAX(v) FROM a", true},
        Query{"AggregateOfAnAggregate",
              "n BIGINT, c BIGINT",
              "SELECT n, COUNT(*) FROM (SELECT k, COUNT(*) AS n FROM a GROUP BY k) GROUP BY n"}),
    [](const auto& test) { return std::string(test.param.name); });

// What takes rows back, and what depends on their order, travels row by row.
TEST(StageCutTest, NotEveryAggregateHasTwoPhases) {
  const auto explain = [](const std::string& query) {
    Result<JobPlan> plan = Planner({}).Plan("job", kTables + ("EXPLAIN " + query + ";"));
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    return plan->explanations.front();
  };

  EXPECT_NE(explain("SELECT k, COUNT(*) FROM a GROUP BY k").find("LocalAggregate"),
            std::string::npos);
  EXPECT_EQ(explain("SELECT k, SESSION_END(ts, INTERVAL '8' SECOND), COUNT(*) FROM a GROUP BY k, "
                    "SESSION(ts, INTERVAL '8' SECOND)")
                .find("Local"),
            std::string::npos);
  EXPECT_EQ(explain("SELECT k, LISTAGG(DISTINCT k) FROM a GROUP BY k").find("Local"),
            std::string::npos);
}

// What one task has anyway takes no way around.
TEST(StageCutTest, OnePartitionNeedsNoExchange) {
  const char* const query = "SELECT k, COUNT(*) FROM a GROUP BY k";

  EXPECT_TRUE(Compile("k STRING, n BIGINT", query, 1, false)->repartitions().empty());
  EXPECT_EQ(Compile("k STRING, n BIGINT", query, 2, false)->repartitions().size(), 1U);
}

// Two topics are two tasks, however few partitions they have.
TEST(StageCutTest, RowsOfTwoTopicsMeetBehindAnExchange) {
  const char* const query =
      "SELECT k, COUNT(*) FROM (SELECT k FROM a UNION ALL SELECT k FROM b) GROUP BY k";

  const auto program = Compile("k STRING, n BIGINT", query, 1, false);

  ASSERT_EQ(program->repartitions().size(), 1U);
  ASSERT_EQ(program->repartitions().front().exchanges.size(), 1U);
  EXPECT_EQ(program->repartitions().front().exchanges.front().sources, (std::vector<size_t>{0, 1}));
}

// Of one partition that two tables are, all rows are in one task.
TEST(StageCutTest, TwoTablesOfOnePartitionNeedNoExchange) {
  const auto program =
      Compile("v INT, n BIGINT",
              "SELECT v, COUNT(*) FROM (SELECT v FROM a UNION ALL SELECT v FROM again) GROUP BY v",
              1,
              false);

  EXPECT_EQ(program->sources().size(), 1U);
  EXPECT_TRUE(program->repartitions().empty());
}

TEST(StageCutTest, AStageSendsToLaterOnesOnly) {
  const auto program =
      Compile("n BIGINT, c BIGINT",
              "SELECT n, COUNT(*) FROM (SELECT k, COUNT(*) AS n FROM a GROUP BY k) GROUP BY n",
              2,
              false);

  ASSERT_EQ(program->repartitions().size(), 2U);
  EXPECT_EQ(program->repartitions()[0].exchanges.front().sources, (std::vector<size_t>{0}));
  EXPECT_EQ(program->repartitions()[1].exchanges.front().stages, (std::vector<uint32_t>{1}));
  EXPECT_FALSE(program->is_stateful(0));
  EXPECT_TRUE(program->is_stateful(1));
  EXPECT_TRUE(program->is_stateful(2));
}

}  // namespace
}  // namespace slipstream::sql
