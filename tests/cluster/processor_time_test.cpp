// Windows by the clock, and rows that come too late, through the binary and a real broker.

#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

using ::testing::Contains;
using ::testing::Pair;
using ::testing::SizeIs;

class ProcessorTimeTest : public ::testing::Test {
 protected:
  Status WriteJob(const std::string& name, const std::string& statements) const {
    return WriteFile(dir_ / (name + ".sql"),
                     fmt::format("SET 'pipeline.name' = '{}';\n{}", name, statements));
  }
  Result<std::unique_ptr<Process>> Start(const std::string& name,
                                         bool is_bounded,
                                         const std::string& failpoints = "") {
    ProcessorRun run{
        .job = dir_ / (name + ".sql"),
        .brokers = KafkaBroker::Shared().bootstrap(),
        .is_bounded = is_bounded,
        .failpoints = failpoints,
        .more_flags = {"--state-dir=" + (dir_ / "state").string(), "--commit-interval=100ms"}};
    return Process::Start(Command(run, dir_.path(), fmt::format("{}-{}", name, start_count_++)));
  }
  // 50 records in each of two partitions.
  Status FillClicks(const std::string& topic) const {
    std::vector<KafkaRecord> records;
    for (int i = 0; i < 100; ++i)
      records.push_back({.value = fmt::format(R"({{"k":{}}})", i % 7), .partition = i % 2});
    return client_.Produce(topic, records);
  }
  // The counts in the topic, one a record, together.
  int Total(const std::string& topic) const {
    const Result<std::vector<KafkaRecord>> records = client_.ReadAll(topic);
    if (!records.ok()) return -1;
    int total = 0;
    for (const KafkaRecord& record : *records)
      total += std::stoi(record.value.value_or("0"));
    return total;
  }

  const TempDir dir_{"processor-time"};
  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};
  int start_count_ = 0;
};

// The windows close though nothing more comes. Killed in the middle of a commit, and once between
// commits, the job gives each record in one window.
TEST_F(ProcessorTimeTest, WindowsOfProcessingTimeCloseByTheClockAndCountOnce) {
  ASSERT_OK(client_.CreateTopic("clicks", 2));
  ASSERT_OK(client_.CreateTopic("clicks-out", 1));
  ASSERT_OK(WriteJob("clicks",
                     "CREATE TABLE s (k INT, p AS PROCTIME()) WITH ('connector' = 'kafka',\n"
                     "  'topic' = 'clicks', 'scan.startup.mode' = 'earliest-offset',\n"
                     "  'format' = 'json');\n"
                     "CREATE TABLE t (n BIGINT) WITH ('connector' = 'kafka',\n"
                     "  'topic' = 'clicks-out', 'format' = 'csv');\n"
                     "INSERT INTO t SELECT COUNT(*) FROM\n"
                     "  TUMBLE(TABLE s, DESCRIPTOR(p), INTERVAL '1' SECOND)\n"
                     "GROUP BY k, window_start, window_end;\n"));
  ASSERT_OK(FillClicks("clicks"));
  ASSERT_OK_AND_ASSIGN(const auto killed, Start("clicks", false, "commit.after_offsets=kill@3"));
  ASSERT_OK_AND_ASSIGN(const ExitStatus killed_exit, killed->Wait());
  ASSERT_EQ(killed_exit.signal, SIGKILL) << killed->Stderr();

  ASSERT_OK_AND_ASSIGN(const auto first, Start("clicks", false));
  EXPECT_TRUE(Eventually([&] { return Total("clicks-out") == 100; })) << first->Stderr();
  ASSERT_OK(FillClicks("clicks"));
  first->Kill();

  ASSERT_OK_AND_ASSIGN(const auto second, Start("clicks", false));
  EXPECT_TRUE(Eventually([&] { return Total("clicks-out") == 200; })) << second->Stderr();
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, second->Terminate());
  EXPECT_EQ(exit.code, 0) << second->Stderr();
  EXPECT_EQ(Total("clicks-out"), 200);
}

TEST_F(ProcessorTimeTest, LateRowsGoToTheTopicOfTheirTable) {
  ASSERT_OK(client_.CreateTopic("readings", 1));
  ASSERT_OK(client_.CreateTopic("readings-out", 1));
  const auto reading = [](int second, int v) {
    return KafkaRecord{
        .key = "key",
        .value = fmt::format(R"({{"ts":"2024-01-01 00:00:{:02}","v":{}}})", second, v)};
  };
  ASSERT_OK(client_.Produce("readings", {reading(1, 1), reading(30, 2), reading(2, 4)}));
  ASSERT_OK(WriteJob("late",
                     "CREATE TABLE s (ts TIMESTAMP(3), v INT, WATERMARK FOR ts AS ts)\n"
                     "WITH ('connector' = 'kafka', 'topic' = 'readings', 'format' = 'json',\n"
                     "  'scan.startup.mode' = 'earliest-offset', 'late-rows.topic' = 'late',\n"
                     "  'scan.watermark.emit.strategy' = 'on-event');\n"
                     "CREATE TABLE t (v INT) WITH ('connector' = 'kafka',\n"
                     "  'topic' = 'readings-out', 'format' = 'csv');\n"
                     "INSERT INTO t SELECT SUM(v) FROM\n"
                     "  TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '10' SECOND)\n"
                     "GROUP BY window_start, window_end;\n"));
  // What was staged when it dies is not there twice.
  ASSERT_OK_AND_ASSIGN(const auto killed, Start("late", true, "commit.after_offsets=kill@2"));
  ASSERT_OK_AND_ASSIGN(const ExitStatus killed_exit, killed->Wait());
  ASSERT_EQ(killed_exit.signal, SIGKILL) << killed->Stderr();

  ASSERT_OK_AND_ASSIGN(const auto process, Start("late", true));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  ASSERT_EQ(exit.code, 0) << process->Stderr();
  EXPECT_EQ(Total("readings-out"), 3);
  ASSERT_OK_AND_ASSIGN(const auto late, client_.ReadAll("late"));
  ASSERT_THAT(late, SizeIs(1));
  EXPECT_EQ(late[0].key, "key");
  EXPECT_EQ(late[0].value, R"({"ts":"2024-01-01 00:00:02","v":4})");
  EXPECT_THAT(late[0].headers, Contains(Pair("slipstream.topic", "readings")));
  EXPECT_THAT(late[0].headers, Contains(Pair("slipstream.partition", "0")));
  EXPECT_THAT(late[0].headers, Contains(Pair("slipstream.offset", "2")));
  EXPECT_THAT(
      late[0].headers,
      Contains(Pair("slipstream.error", "late for s: the watermark is 2024-01-01 00:00:30.000")));
}

}  // namespace
}  // namespace slipstream::test_support
