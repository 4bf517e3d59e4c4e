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
    "'scan.startup.mode' = 'earliest-offset');";

std::unique_ptr<runtime::JobProgram> Compile(const std::string& columns,
                                             const std::string& query,
                                             int32_t partitions,
                                             bool is_bounded) {
  const std::string text =
      fmt::format("{}CREATE TABLE r ({}) WITH ('connector' = 'print'); INSERT INTO r {};",
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

StagedRun::Input MakeInput(uint64_t seed, int32_t partitions) {
  std::mt19937_64 random(seed);
  StagedRun::Input input;
  for (const char* topic : {"a", "b"}) {
    for (int i = 0; i < kRecords; ++i) {
      // Disorder within the delay, whichever partition a record lies in.
      const auto second = static_cast<int64_t>(i + static_cast<int>(random() % 10));
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
        Query{"Over",
              "k STRING, ts TIMESTAMP(3), n BIGINT",
              "SELECT k, ts, COUNT(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '30' "
              "SECOND PRECEDING AND CURRENT ROW) FROM a"}),
    [](const auto& test) { return std::string(test.param.name); });

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
