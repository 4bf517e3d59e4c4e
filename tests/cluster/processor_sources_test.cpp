// What options of sources and sinks promise, through the binary and over a process that dies.

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/kafka/admin.h"
#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

using ::testing::HasSubstr;

class ProcessorSourcesTest : public ::testing::Test {
 protected:
  // Records `{"id":N}` for N from `first` on.
  Status Fill(const std::string& topic, int first, int count) const {
    std::vector<KafkaRecord> records;
    for (int id = first; id < first + count; ++id)
      records.push_back({.value = fmt::format(R"({{"id":{}}})", id)});
    return client_.Produce(topic, records);
  }

  // How often each id is in the topic.
  Result<std::map<std::string, int>> Times(const std::string& topic) const {
    ASSIGN_OR_RETURN(const std::vector<KafkaRecord> records, client_.ReadAll(topic));
    std::map<std::string, int> times;
    for (const KafkaRecord& record : records)
      ++times[record.value.value_or("")];
    return times;
  }

  Status WriteJob(const std::string& name, const std::string& statements) const {
    return WriteFile(dir_ / (name + ".sql"),
                     fmt::format("SET 'pipeline.name' = '{}';\n{}", name, statements));
  }

  Result<std::unique_ptr<Process>> Start(const std::string& name,
                                         bool is_bounded,
                                         const std::string& failpoints = "") {
    ProcessorRun run{.job = dir_ / (name + ".sql"),
                     .brokers = KafkaBroker::Shared().bootstrap(),
                     .is_bounded = is_bounded,
                     .failpoints = failpoints,
                     .more_flags = {"--state-dir=" + (dir_ / "state").string()}};
    return Process::Start(Command(run, dir_.path(), fmt::format("{}-{}", name, start_count_++)));
  }

  const TempDir dir_{"processor-sources"};
  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};
  int start_count_ = 0;
};

// Killed when the records of the at-least-once sinks are out and nothing is committed: those come
// again, in the exactly-once sink beside them everything comes once.
TEST_F(ProcessorSourcesTest, TwoTopicsIntoSinksOfEachGuarantee) {
  constexpr int kRecords = 3'000;  // in each topic
  for (const char* topic : {"sources-a", "sources-b", "sources-once", "sources-least"})
    ASSERT_OK(client_.CreateTopic(topic, 2));
  ASSERT_OK(Fill("sources-a", 0, kRecords));
  ASSERT_OK(Fill("sources-b", kRecords, kRecords));
  ASSERT_OK(WriteJob(
      "sources",
      "CREATE TABLE s (id INT) WITH ('connector' = 'kafka', 'topic' = 'sources-a;sources-b',\n"
      "  'scan.startup.mode' = 'earliest-offset', 'format' = 'json');\n"
      "CREATE TABLE once (id INT) WITH ('connector' = 'kafka', 'topic' = 'sources-once',\n"
      "  'sink.delivery-guarantee' = 'exactly-once', 'format' = 'json');\n"
      "CREATE TABLE least (id INT) WITH ('connector' = 'kafka', 'topic' = 'sources-least',\n"
      "  'sink.delivery-guarantee' = 'at-least-once', 'format' = 'json');\n"
      "CREATE TABLE people (id INT) WITH ('connector' = 'print');\n"
      "EXECUTE STATEMENT SET BEGIN\n"
      "INSERT INTO once SELECT id FROM s;\n"
      "INSERT INTO least SELECT id FROM s;\n"
      "INSERT INTO people SELECT id FROM s;\n"
      "END;\n"));
  ASSERT_OK_AND_ASSIGN(const auto killed, Start("sources", true, "commit.after_offsets=kill@2"));
  ASSERT_OK_AND_ASSIGN(const ExitStatus killed_exit, killed->Wait());
  ASSERT_EQ(killed_exit.signal, SIGKILL) << killed->Stderr();

  ASSERT_OK_AND_ASSIGN(const auto process, Start("sources", true));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  EXPECT_EQ(exit.code, 0) << process->Stderr();
  ASSERT_OK_AND_ASSIGN(const auto once, Times("sources-once"));
  ASSERT_OK_AND_ASSIGN(const auto least, Times("sources-least"));
  EXPECT_EQ(once.size(), 2U * kRecords);
  EXPECT_EQ(least.size(), 2U * kRecords);
  int once_total = 0;
  for (const auto& [value, times] : once)
    once_total += times;
  EXPECT_EQ(once_total, 2 * kRecords);
  int least_total = 0;
  for (const auto& [value, times] : least)
    least_total += times;
  EXPECT_GT(least_total, 2 * kRecords);
  const std::string printed = killed->Stdout() + process->Stdout();
  for (int id = 0; id < 2 * kRecords; ++id)
    ASSERT_THAT(printed, HasSubstr(fmt::format("+I[{}]", id)));
}

// A job that was killed finds that the log no longer has what it would read next.
TEST_F(ProcessorSourcesTest, LostRecordsStopAJobUnlessItGoesOnWithout) {
  ASSERT_OK_AND_ASSIGN(const auto admin,
                       kafka::Admin::Create({.properties = {{"bootstrap.servers",
                                                             KafkaBroker::Shared().bootstrap()}}}));
  for (const std::string name : {"loss-stop", "loss-continue"}) {
    ASSERT_OK(client_.CreateTopic(name, 1));
    ASSERT_OK(client_.CreateTopic(name + "-out", 1));
    ASSERT_OK(Fill(name, 0, 100));
    ASSERT_OK(WriteJob(
        name,
        fmt::format("CREATE TABLE s (id INT) WITH ('connector' = 'kafka', 'topic' = '{0}',\n"
                    "  'scan.startup.mode' = 'earliest-offset', 'format' = 'json'{1});\n"
                    "CREATE TABLE t (id INT) WITH ('connector' = 'kafka', 'topic' = '{0}-out',\n"
                    "  'format' = 'json');\n"
                    "INSERT INTO t SELECT id FROM s;\n",
                    name,
                    name == "loss-continue" ? ", 'scan.on-data-loss' = 'continue'" : "")));
    ASSERT_OK_AND_ASSIGN(const auto killed, Start(name, false));
    ASSERT_TRUE(Eventually([&] { return client_.Count(name + "-out").value_or(0) == 100; }));
    killed->Kill();
    ASSERT_OK(Fill(name, 100, 100));
    ASSERT_OK(admin->DeleteRecords({{.partition = {name, 0}, .offset = 150}}));
  }

  ASSERT_OK_AND_ASSIGN(const auto stopped, Start("loss-stop", true));
  ASSERT_OK_AND_ASSIGN(const ExitStatus stopped_exit, stopped->Wait());
  ASSERT_OK_AND_ASSIGN(const auto process, Start("loss-continue", true));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  EXPECT_EQ(stopped_exit.code, 1);
  EXPECT_THAT(stopped->Stderr(), HasSubstr("the log begins at offset=150"));
  EXPECT_EQ(exit.code, 0) << process->Stderr();
  EXPECT_THAT(process->Stderr(), HasSubstr("records_lost"));
  ASSERT_OK_AND_ASSIGN(const auto times, Times("loss-continue-out"));
  EXPECT_EQ(times.size(), 150U);
  for (const auto& [value, count] : times)
    EXPECT_EQ(count, 1) << value;
}

TEST_F(ProcessorSourcesTest, AFloodOfDeadLettersStopsTheJob) {
  ASSERT_OK(client_.CreateTopic("flood", 1));
  ASSERT_OK(client_.CreateTopic("flood-out", 1));
  ASSERT_OK(Fill("flood", 0, 200));
  ASSERT_OK(client_.Produce("flood", std::vector<KafkaRecord>(100, {.value = "no json"})));
  ASSERT_OK(WriteJob("flood",
                     "CREATE TABLE s (id INT) WITH ('connector' = 'kafka', 'topic' = 'flood',\n"
                     "  'scan.startup.mode' = 'earliest-offset', 'format' = 'json',\n"
                     "  'dead-letter.max-share' = '0.2');\n"
                     "CREATE TABLE t (id INT) WITH ('connector' = 'kafka', 'topic' = 'flood-out',\n"
                     "  'format' = 'json');\n"
                     "INSERT INTO t SELECT id FROM s;\n"));

  ASSERT_OK_AND_ASSIGN(const auto process, Start("flood", true));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  EXPECT_EQ(exit.code, 1);
  EXPECT_THAT(process->Stderr(), HasSubstr("more than 'dead-letter.max-share' = 0.2 allows"));
  // Nothing of the commit in which it happens is kept.
  EXPECT_EQ(client_.Count("flood.dead-letter").value_or(-1), 0);
}

}  // namespace
}  // namespace slipstream::test_support
