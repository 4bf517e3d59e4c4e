// `processor sql`: at a terminal of its own, and from a pipe.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/terminal.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kInterrupt = "\x03";
constexpr const char* kEndOfText = "\x04";

class SqlShellTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Terminal>> Open() {
    std::vector<std::string> argv = {(BinDir() / "processor").string(), "sql"};
    for (const std::string& flag : Flags())
      argv.push_back(flag);
    argv.push_back("--history=" + (dir_ / "history").string());
    return Terminal::Start(std::move(argv), {"TERM=dumb"}, dir_.path());
  }

  Result<ToolResult> Pipe(const std::string& text) {
    RETURN_IF_ERROR(WriteFile(dir_ / "stdin.sql", text));
    ProcessOptions options{.program = "processor", .args = {"sql"}, .dir = dir_.path()};
    for (const std::string& flag : Flags())
      options.args.push_back(flag);
    options.stdin_file = dir_ / "stdin.sql";
    return RunTool(std::move(options));
  }

  std::vector<std::string> Flags() const {
    return {"--brokers=" + KafkaBroker::Shared().bootstrap(),
            "--state-dir=" + (dir_ / "state").string()};
  }

  static std::string Orders(const std::string& topic) {
    return fmt::format(
        "CREATE TABLE orders (id INT, item STRING) WITH ('connector' = 'kafka', 'topic' = '{}',\n"
        "  'scan.startup.mode' = 'earliest-offset', 'format' = 'json');\n",
        topic);
  }

  Status Produce(const std::string& topic, int id, const std::string& item) const {
    return client_.Produce(topic, {{.value = fmt::format(R"({{"id":{},"item":"{}"}})", id, item)}});
  }

  // Names of topics that the job of a SELECT made for itself.
  Result<std::vector<std::string>> TopicsOfSelects() const {
    ASSIGN_OR_RETURN(const auto topics, client_.Topics());
    std::vector<std::string> found;
    for (const auto& [topic, partitions] : topics) {
      if (topic.starts_with("select-")) found.push_back(topic);
    }
    return found;
  }

  const TempDir dir_{"sql-shell"};
  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};
};

TEST_F(SqlShellTest, StatementsOfSeveralLinesAndAnswers) {
  ASSERT_OK_AND_ASSIGN(const auto shell, Open());
  ASSERT_OK(shell->WaitFor("sql> "));

  ASSERT_OK(shell->Type("CREATE VIEW v AS\n"));
  ASSERT_OK(shell->WaitFor("  -> "));
  ASSERT_OK(shell->Type("SELECT 'it''s\n"));
  ASSERT_OK(shell->WaitFor("  '> "));
  ASSERT_OK(shell->Type("me' AS who; SELECT who FROM v;\n"));
  ASSERT_OK(shell->WaitFor("| it's me |"));
  ASSERT_OK(shell->WaitFor("sql> "));
  ASSERT_OK(shell->Type("SHOW CREATE VIEW v;\n"));
  ASSERT_OK(shell->WaitFor("me' AS who\nsql> "));
  ASSERT_OK(shell->Type("SELECT whom FROM v; SHOW VIEWS;\n"));
  ASSERT_OK(shell->WaitFor("sql:1:8: no column \"whom\""));
  ASSERT_OK(shell->WaitFor("hint: did you mean \"who\"?\nsql> "));

  // What is being typed is taken back; the shell stays.
  ASSERT_OK(shell->Type("SELECT 1 +\n"));
  ASSERT_OK(shell->WaitFor("  -> "));
  ASSERT_OK(shell->Type(kInterrupt));
  ASSERT_OK(shell->WaitFor("^C\nsql> "));
  ASSERT_OK(shell->Type("HELP\n"));
  ASSERT_OK(shell->WaitFor("ends the session.\nsql> "));
  ASSERT_OK(shell->Type(kEndOfText));
  ASSERT_OK_AND_ASSIGN(const int code, shell->WaitForExit());
  EXPECT_EQ(code, 0);
  EXPECT_THAT(ReadFile(dir_ / "history"), HasSubstr("SHOW"));
}

// A stream's rows are shown as they come; Ctrl-C stops it and nothing else, and nothing of it stays
// in Kafka.
TEST_F(SqlShellTest, InterruptStopsAStreamingQuery) {
  ASSERT_OK(client_.CreateTopic("shell-orders", 2));
  ASSERT_OK(Produce("shell-orders", 1, "tea"));
  ASSERT_OK_AND_ASSIGN(const auto shell, Open());
  ASSERT_OK(shell->WaitFor("sql> "));
  ASSERT_OK(shell->Type(Orders("shell-orders")));
  ASSERT_OK(shell->WaitFor("sql> "));

  ASSERT_OK(shell->Type("SELECT id, item FROM orders;\n"));
  ASSERT_OK(shell->WaitFor("|           1 | tea                  |"));
  ASSERT_OK(Produce("shell-orders", 2, "milk"));
  ASSERT_OK(shell->WaitFor("|           2 | milk                 |"));
  ASSERT_OK(shell->Type(kInterrupt));
  ASSERT_OK(shell->WaitFor("stopped\nsql> "));

  ASSERT_OK(shell->Type("SELECT item, COUNT(*) AS n FROM orders GROUP BY item;\n"));
  ASSERT_OK(shell->WaitFor("| +I | milk                 |           1 |"));
  ASSERT_OK(Produce("shell-orders", 3, "milk"));
  ASSERT_OK(shell->WaitFor("| +U | milk                 |           2 |"));
  ASSERT_OK(shell->Type(kInterrupt));
  ASSERT_OK(shell->WaitFor("stopped\nsql> "));

  EXPECT_TRUE(Eventually([&] {
    const auto topics = TopicsOfSelects();
    return topics.ok() && topics->empty();
  }));
  ASSERT_OK(shell->Type("quit\n"));
  ASSERT_OK_AND_ASSIGN(const int code, shell->WaitForExit());
  EXPECT_EQ(code, 0);
}

// An INSERT is a job: stopped and run again it goes on where it was.
TEST_F(SqlShellTest, InterruptedInsertGoesOn) {
  ASSERT_OK(client_.CreateTopic("shell-in", 1));
  ASSERT_OK(client_.CreateTopic("shell-out", 1));
  ASSERT_OK(Produce("shell-in", 1, "tea"));
  ASSERT_OK_AND_ASSIGN(const auto shell, Open());
  ASSERT_OK(shell->Type(Orders("shell-in") +
                        "CREATE TABLE copies (id INT) WITH ('connector' = 'kafka',\n"
                        "  'topic' = 'shell-out', 'format' = 'json');\n"));
  for (int round = 1; round <= 2; ++round) {
    ASSERT_OK(shell->Type("INSERT INTO copies SELECT id FROM orders;\n"));
    ASSERT_TRUE(Eventually([&] {
      const Result<int64_t> count = client_.Count("shell-out");
      return count.ok() && *count == round;
    }));
    ASSERT_OK(shell->Type(kInterrupt));
    ASSERT_OK(shell->WaitFor("stopped\nsql> "));
    ASSERT_OK(Produce("shell-in", round + 1, "milk"));
  }
  ASSERT_OK_AND_ASSIGN(const auto records, client_.ReadAll("shell-out"));
  EXPECT_EQ(records.at(0).value, R"({"id":1})");
  EXPECT_EQ(records.at(1).value, R"({"id":2})");
}

TEST_F(SqlShellTest, AScriptStopsAtTheFirstErrorAndNamesItsPlace) {
  ASSERT_OK_AND_ASSIGN(const ToolResult result,
                       Pipe("SET 'a' = 'b'; SET;\n"
                            "SELECT 1 AS one;\n"
                            "-- the next one fails\n"
                            "  SELECT two FROM nothing;\n"
                            "SELECT 3 AS three;\n"));

  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.out, HasSubstr("'a' = 'b'\n"));
  EXPECT_THAT(result.out, HasSubstr("| one |"));
  EXPECT_THAT(result.out, Not(HasSubstr("three")));
  EXPECT_THAT(result.out, Not(HasSubstr("sql>")));
  EXPECT_THAT(result.err, HasSubstr("stdin:4:"));
}

TEST_F(SqlShellTest, AScriptsLastStatementNeedsNoSemicolon) {
  ASSERT_OK_AND_ASSIGN(const ToolResult result, Pipe("SHOW FUNCTIONS; SELECT 'end' AS word"));

  EXPECT_EQ(result.exit.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\nCOUNT\n"));
  EXPECT_THAT(result.out, HasSubstr("| end  |"));
}

}  // namespace
}  // namespace slipstream::test_support
