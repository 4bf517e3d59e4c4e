// What `processor` says, and how it exits, when it is asked for what cannot be.

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

using ::testing::HasSubstr;

std::string Nowhere() {
  return "127.0.0.1:" + std::to_string(FreePort());
}

std::string ShippedJob(const std::string& name) {
  return SourceDir() / "jobs" / (name + ".sql");
}

class ProcessorErrorsTest : public ::testing::Test {
 protected:
  // Runs it to its end. What takes longer than two seconds to appear is given up.
  ToolResult Run(std::vector<std::string> args) const {
    args.push_back("--connect-timeout=2");
    Result<ToolResult> result = RunTool({.program = "processor", .args = std::move(args)});
    EXPECT_OK(result);
    return result.ok() ? *std::move(result) : ToolResult{};
  }
  ToolResult RunJob(const std::string& file, std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"run", file, "--state-dir=" + (dir_ / "state").string()});
    return Run(std::move(flags));
  }

  const TempDir dir_{"processor-errors"};
};

TEST_F(ProcessorErrorsTest, BadSqlIsShownWithACaretAndAHint) {
  const std::string file = dir_ / "bad.sql";
  ASSERT_OK(WriteFile(file,
                      "CREATE TABLE t (a INT) WITH ('connector' = 'blackhole');\n"
                      "INSERT INTO t SELEC 1;\n"));

  const ToolResult result = RunJob(file, {});

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, HasSubstr("bad.sql:2:15: "));
  EXPECT_THAT(result.err, HasSubstr("2 | INSERT INTO t SELEC 1;\n    |               ^"));
  EXPECT_THAT(result.err, HasSubstr("did you mean \"SELECT\"?"));
}

TEST_F(ProcessorErrorsTest, ABadQueryIsShownTheSameWay) {
  const ToolResult result = Run({"query",
                                 "SELECT carier FROM flights_by_carrier",
                                 "--catalog=" + ShippedJob("carrier_report")});

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, HasSubstr("query:1:8: "));
  EXPECT_THAT(result.err, HasSubstr("did you mean \"carrier\"?"));
}

TEST_F(ProcessorErrorsTest, ARowThatFailsEndsAQueryAndALineThatCannotBeReadDoesNot) {
  const std::string rows = dir_ / "t.csv";
  ASSERT_OK(WriteFile(rows, "4,2\nfour,two\n1,0\n"));
  const std::string tables = dir_ / "tables.sql";
  ASSERT_OK(WriteFile(tables,
                      "CREATE TABLE t (a INT, b INT) WITH ('connector' = 'filesystem', "
                      "'format' = 'csv', 'path' = '" +
                          rows + "');\n"));
  const std::string catalog = "--catalog=" + tables;

  const ToolResult failed = Run({"query", "SELECT a / b FROM t", catalog});
  const ToolResult well = Run({"query", "SELECT a / NULLIF(b, 0) FROM t", catalog, "--format=csv"});

  EXPECT_EQ(failed.exit.code, 1);
  EXPECT_THAT(failed.err, HasSubstr(R"(division by zero, in the row {"a":1,"b":0})"));
  EXPECT_EQ(well.exit.code, 0) << well.err;
  EXPECT_EQ(well.out, "EXPR$0\n2\n\n");
  EXPECT_THAT(well.err, HasSubstr("row_skipped"));
}

TEST_F(ProcessorErrorsTest, EveryShippedJobPassesTheCheck) {
  std::vector<std::string> args = {"check"};
  for (const auto& entry : std::filesystem::directory_iterator(SourceDir() / "jobs"))
    args.push_back(entry.path());
  ASSERT_GT(args.size(), 5U);

  ASSERT_OK_AND_ASSIGN(const ToolResult result, RunTool({.program = "processor", .args = args}));

  EXPECT_EQ(result.exit.code, 0) << result.err;
  EXPECT_EQ(static_cast<size_t>(std::count(result.out.begin(), result.out.end(), '\n')),
            args.size() - 1);
}

TEST_F(ProcessorErrorsTest, ACheckNamesWhatIsWrongAndGoesOnWithTheNextFile) {
  const std::string option = dir_ / "option.sql";
  ASSERT_OK(WriteFile(option,
                      "CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topic' = 't',\n"
                      "  'format' = 'json', 'scan.start.mode' = 'earliest-offset');\n"
                      "CREATE TABLE b (a INT) WITH ('connector' = 'blackhole');\n"
                      "INSERT INTO b SELECT a FROM t;\n"));
  const std::string pattern = dir_ / "pattern.sql";
  ASSERT_OK(WriteFile(pattern,
                      "CREATE TABLE t (a INT) WITH ('connector' = 'kafka',\n"
                      "  'topic-pattern' = 'plant-.*', 'format' = 'json');\n"
                      "CREATE TABLE b (a INT, n BIGINT) WITH ('connector' = 'print');\n"
                      "INSERT INTO b SELECT a, COUNT(*) FROM t GROUP BY a;\n"));

  ASSERT_OK_AND_ASSIGN(
      const ToolResult result,
      RunTool({.program = "processor", .args = {"check", option, pattern, "--plan"}}));

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, HasSubstr("option.sql: "));
  EXPECT_THAT(result.err, HasSubstr("did you mean \"scan.startup.mode\"?"));
  EXPECT_THAT(result.out, HasSubstr("pattern.sql: ok, a streaming job: INSERTs 1, queries 0\n"));
  EXPECT_THAT(result.out, HasSubstr("Exchange by a\n"));
}

TEST_F(ProcessorErrorsTest, MistakesOnTheCommandLineAreUsageErrors) {
  const std::string job = ShippedJob("flights_delays");
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"run", "/nowhere/job.sql"},
        {"run"},
        {"check"},
        {"check", "/nowhere/job.sql"},
        {"fly", job},
        {"run", job, "--colour=red"},
        {"run", job, "--set=novalue"},
        {"run", job, "--workers=0"},
        {"query", "SELECT 1", "--format=xml"},
        {"query", "SELECT 1", "--catalog=/nowhere/tables.sql"}}) {
    ASSERT_OK_AND_ASSIGN(ToolResult result, RunTool({.program = "processor", .args = args}));
    EXPECT_EQ(result.exit.code, 2) << args.back();
    EXPECT_FALSE(result.err.empty());
  }
}

TEST_F(ProcessorErrorsTest, ABrokerThatIsNotThereIsNamed) {
  const std::string nowhere = Nowhere();

  const ToolResult result = RunJob(ShippedJob("flights_structured"), {"--brokers=" + nowhere});

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, HasSubstr("no kafka broker answers at " + nowhere));
}

TEST_F(ProcessorErrorsTest, ATopicThatIsNotThereIsNamed) {
  const ToolResult result =
      RunJob(ShippedJob("flights_structured"),
             {"--brokers=" + KafkaBroker::Shared().bootstrap(), "--set=pipeline.name=no-topic"});

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, HasSubstr("topic flights-topic"));
}

TEST_F(ProcessorErrorsTest, AMasterThatIsNotThereIsNamed) {
  const KafkaBroker& broker = KafkaBroker::Shared();
  const std::string file = dir_ / "store.sql";
  ASSERT_OK(
      WriteFile(file,
                "CREATE TABLE s (a INT) WITH ('connector' = 'kafka', 'topic' = 'masterless',\n"
                "  'scan.startup.mode' = 'earliest-offset', 'format' = 'json');\n"
                "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem',\n"
                "  'path' = 'dfs:///masterless/', 'format' = 'json');\n"
                "INSERT INTO t SELECT a FROM s;\n"));
  const KafkaClient client(broker.bootstrap());
  ASSERT_OK(client.CreateTopic("masterless", 1));
  ASSERT_OK(client.Produce("masterless", {{.value = R"({"a":1})"}}));
  const std::string nowhere = Nowhere();

  const ToolResult result =
      RunJob(file, {"--brokers=" + broker.bootstrap(), "--master=" + nowhere, "--bounded"});

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, HasSubstr(nowhere));

  const ToolResult query =
      Run({"query", "SELECT * FROM t", "--catalog=" + file, "--master=" + nowhere});

  EXPECT_EQ(query.exit.code, 1);
  EXPECT_THAT(query.err, HasSubstr(nowhere));
}

TEST_F(ProcessorErrorsTest, APortInUseIsNamed) {
  const std::string taken = KafkaBroker::Shared().bootstrap();

  const ToolResult result =
      RunJob(ShippedJob("flights_structured"), {"--brokers=" + taken, "--admin-listen=" + taken});

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, HasSubstr(taken));
  EXPECT_THAT(result.err, ::testing::ContainsRegex("[Aa]ddress already in use"));
}

// An update stream has no place in a file that only grows.
TEST_F(ProcessorErrorsTest, ARunningAggregateIsRefusedByAnAppendOnlySink) {
  const std::string file = dir_ / "running.sql";
  ASSERT_OK(WriteFile(file,
                      "CREATE TABLE s (a INT) WITH ('connector' = 'kafka', 'topic' = 'running',\n"
                      "  'format' = 'json');\n"
                      "CREATE TABLE t (a INT, n BIGINT) WITH ('connector' = 'filesystem',\n"
                      "  'path' = 'dfs:///running/', 'format' = 'json');\n"
                      "INSERT INTO t SELECT a, COUNT(*) FROM s GROUP BY a;\n"));

  const ToolResult result = RunJob(file, {"--brokers=" + Nowhere()});

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, HasSubstr("running.sql:5:"));
  EXPECT_THAT(result.err, HasSubstr("takes new rows only"));
}

}  // namespace
}  // namespace slipstream::test_support
