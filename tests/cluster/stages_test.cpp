// Jobs of several stages on a real broker: groups that are spread over a topic's partitions, two
// topics into one table, however many workers and processes there are and whichever of them die.

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

constexpr int kRecords = 12'000;  // in each of two topics
constexpr int kKeys = 20;
constexpr int kPartitions = 3;
constexpr int kWindowMs = 60'000;

int64_t TimeMs(int id) {
  // Out of order by less than five seconds.
  return 1'600'000'000'000 + int64_t{id} * 100 - int64_t{(id * 37) % 50} * 100;
}
std::string KeyOf(int id) {
  return fmt::format("k{}", (id * 7) % kKeys);
}

// What a job over topics `<name>-a` and `<name>-b` has to give, and whether it does.
class StagesTest : public ::testing::TestWithParam<const char*> {
 protected:
  void MakeTopics(const std::string& name) {
    name_ = name;
    for (const char* topic : {"a", "b"})
      ASSERT_OK(client_.CreateTopic(Topic(topic), kPartitions));
    const std::string source =
        "CREATE TABLE {1} (k STRING, v INT, ts_ms BIGINT, ts AS TO_TIMESTAMP_LTZ(ts_ms, 3),\n"
        "  WATERMARK FOR ts AS ts - INTERVAL '10' SECOND) WITH ('connector' = 'kafka',\n"
        "  'topic' = '{0}-{1}', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');\n";
    std::string job;
    for (const char* table : {"a", "b"})
      job += fmt::format(fmt::runtime(source), name, table);
    job += fmt::format(
        R"(CREATE TABLE windows (k STRING, e TIMESTAMP_LTZ(3), n BIGINT, s INT) WITH (
  'connector' = 'kafka', 'topic' = '{0}-windows', 'format' = 'json');
CREATE TABLE counts (k STRING, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = '{0}-counts', 'key.format' = 'json',
  'value.format' = 'json');
CREATE TABLE rows_of_both (t STRING, v INT) WITH (
  'connector' = 'kafka', 'topic' = '{0}-both', 'format' = 'json');
EXECUTE STATEMENT SET BEGIN
INSERT INTO windows SELECT k, TUMBLE_END(ts, INTERVAL '1' MINUTE), COUNT(*), SUM(v)
  FROM a GROUP BY k, TUMBLE(ts, INTERVAL '1' MINUTE);
INSERT INTO counts SELECT k, COUNT(*) FROM (SELECT k FROM a UNION ALL SELECT k FROM b) GROUP BY k;
INSERT INTO rows_of_both SELECT 'a', v FROM a UNION ALL SELECT 'b', v FROM b;
END;
)",
        name);
    statements_ = job;
    UseJob(name, statements_);
  }

  // What Start starts from now on.
  void UseJob(const std::string& name, const std::string& statements) const {
    ASSERT_OK(WriteFile(dir_ / "job.sql",
                        fmt::format("SET 'pipeline.name' = '{}';\n{}", name, statements)));
  }

  std::string Topic(const std::string& suffix) const { return name_ + "-" + suffix; }

  // Records from number `first` on, into both topics.
  Status Fill(int first, int count) const {
    for (const char* topic : {"a", "b"}) {
      std::vector<KafkaRecord> records;
      for (int id = first; id < first + count; ++id) {
        records.push_back(
            {.value = fmt::format(R"({{"k":"{}","v":{},"ts_ms":{}}})", KeyOf(id), id, TimeMs(id)),
             .partition = id % kPartitions});
      }
      RETURN_IF_ERROR(client_.Produce(Topic(topic), records));
    }
    return {};
  }

  // A record a day later in every partition: every window before it is complete.
  Status FillTail() const {
    std::vector<KafkaRecord> records;
    for (int p = 0; p < kPartitions; ++p) {
      records.push_back(
          {.value =
               fmt::format(R"({{"k":"tail","v":{},"ts_ms":{}}})", p, TimeMs(kRecords) + 86'400'000),
           .partition = p});
    }
    return client_.Produce(Topic("a"), records);
  }

  Result<std::unique_ptr<Process>> Start(int workers,
                                         bool is_bounded,
                                         const std::string& failpoints = "",
                                         const std::vector<std::string>& flags = {}) {
    const int number = start_count_++;
    ProcessorRun run{
        .job = dir_ / "job.sql",
        .brokers = KafkaBroker::Shared().bootstrap(),
        .workers = workers,
        .is_bounded = is_bounded,
        .failpoints = failpoints,
        .more_flags = {"--commit-interval=200ms",
                       "--state-dir=" + (dir_ / fmt::format("state-{}", number)).string()}};
    run.more_flags.insert(run.more_flags.end(), flags.begin(), flags.end());
    return Process::Start(Command(run, dir_.path(), fmt::format("{}-{}", name_, number)));
  }

  // Every window, count and row as it has to be, each once; but for the tail's.
  Status Check() const {
    RETURN_IF_ERROR(CheckWindows());
    RETURN_IF_ERROR(CheckCounts());
    return CheckRows();
  }

  size_t ExpectedWindows() const { return Windows().size(); }

  Result<size_t> CountWindows() const {
    ASSIGN_OR_RETURN(const auto records, client_.ReadAll(Topic("windows")));
    size_t count = 0;
    for (const KafkaRecord& record : records)
      count += record.value->find("tail") == std::string::npos ? 1 : 0;
    return count;
  }

  std::string savepoint() const { return (dir_ / "savepoint").string(); }
  Result<ToolResult> Save() const {
    return RunTool(Command(ProcessorSavepoint{
        .job = dir_ / "job.sql", .brokers = KafkaBroker::Shared().bootstrap(), .to = savepoint()}));
  }
  // A bounded run from the savepoint, to its end.
  Result<ExitStatus> RunFromSavepoint(std::string& output) {
    ASSIGN_OR_RETURN(const auto process, Start(1, true, "", {"--from-savepoint=" + savepoint()}));
    ASSIGN_OR_RETURN(const ExitStatus exit, process->Wait());
    output = process->Stderr();
    return exit;
  }

  const TempDir dir_{"stages"};
  std::string statements_;  // of the job
  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};

 private:
  // The beginning of a window's JSON up to its end: n and s by key and end in milliseconds.
  static std::map<std::pair<std::string, int64_t>, std::pair<int, int>> Windows() {
    std::map<std::pair<std::string, int64_t>, std::pair<int, int>> windows;
    for (int id = 0; id < kRecords; ++id) {
      const int64_t end = (TimeMs(id) / kWindowMs + 1) * kWindowMs;
      auto& [n, s] = windows[{KeyOf(id), end}];
      ++n;
      s += id;
    }
    return windows;
  }

  Status CheckWindows() const {
    std::map<std::string, int> expected;  // what stands behind the end, by key
    for (const auto& [window, sums] : Windows()) {
      ++expected[fmt::format(R"("k":"{}" "n":{},"s":{}}})", window.first, sums.first, sums.second)];
    }
    ASSIGN_OR_RETURN(const auto records, client_.ReadAll(Topic("windows")));
    std::map<std::string, int> ends;
    for (const KafkaRecord& record : records) {
      const std::string& value = record.value.value();
      if (value.find("tail") != std::string::npos) continue;
      const size_t comma = value.find(",\"e\"");
      const size_t rest = value.find("\"n\"");
      if (comma == std::string::npos || rest == std::string::npos) return DataLoss(value);
      --expected[value.substr(1, comma - 1) + " " + value.substr(rest)];
      if (++ends[value.substr(0, rest)] > 1) return DataLoss("twice: " + value);
    }
    for (const auto& [window, count] : expected) {
      if (count != 0) return DataLoss(fmt::format("window {}: {} missing", window, count));
    }
    return {};
  }

  Status CheckCounts() const {
    std::map<std::string, int> expected;
    for (int id = 0; id < kRecords; ++id)
      expected[KeyOf(id)] += 2;
    ASSIGN_OR_RETURN(const auto records, client_.ReadAll(Topic("counts")));
    std::map<std::string, std::string> last;
    for (const KafkaRecord& record : records)
      last[record.key.value()] = record.value.value_or("(deleted)");
    for (const auto& [key, count] : expected) {
      const std::string& value = last[fmt::format(R"({{"k":"{}"}})", key)];
      if (value != fmt::format(R"({{"k":"{}","n":{}}})", key, count)) {
        return DataLoss(fmt::format("count of {}: {} instead of {}", key, value, count));
      }
    }
    return {};
  }

  Status CheckRows() const {
    ASSIGN_OR_RETURN(const auto records, client_.ReadAll(Topic("both")));
    std::map<std::string, int> times;
    for (const KafkaRecord& record : records)
      ++times[record.value.value()];
    for (int id = kPartitions; id < kRecords; ++id) {  // the tail has the first numbers
      for (const char* topic : {"a", "b"}) {
        const int seen = times[fmt::format(R"({{"t":"{}","v":{}}})", topic, id)];
        if (seen != 1) return DataLoss(fmt::format("row {} of {}: {} times", id, topic, seen));
      }
    }
    return {};
  }

  std::string name_;
  int start_count_ = 0;
};

TEST_F(StagesTest, OneWorker) {
  MakeTopics("stages-one");
  ASSERT_OK(Fill(0, kRecords));
  ASSERT_OK_AND_ASSIGN(const auto process, Start(1, true));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  EXPECT_EQ(exit.code, 0) << process->Stderr();
  EXPECT_OK(Check());
}

TEST_F(StagesTest, FourWorkers) {
  MakeTopics("stages-four");
  ASSERT_OK(Fill(0, kRecords));
  ASSERT_OK_AND_ASSIGN(const auto process, Start(4, true));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  EXPECT_EQ(exit.code, 0) << process->Stderr();
  EXPECT_OK(Check());
}

// Three processes, one of them killed and two more come while records arrive.
TEST_F(StagesTest, ProcessesThatComeAndGo) {
  MakeTopics("stages-many");
  constexpr int kChunk = kRecords / 4;
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(processes.emplace_back(), Start(1, false));
  }
  ASSERT_OK(Fill(0, kChunk));
  ASSERT_TRUE(Eventually([&] { return client_.Count(Topic("both")).value_or(0) > 0; }));
  ASSERT_OK(Fill(kChunk, kChunk));
  processes.front()->Kill();
  ASSERT_OK(Fill(2 * kChunk, kChunk));
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(processes.emplace_back(), Start(1, false));
  }
  ASSERT_OK(Fill(3 * kChunk, kRecords - 3 * kChunk));
  ASSERT_OK(FillTail());

  EXPECT_TRUE(Eventually([&] { return CountWindows().value_or(0) >= ExpectedWindows(); },
                         std::chrono::seconds(90)));
  EXPECT_TRUE(Eventually([&] { return Check().ok(); }, std::chrono::seconds(30)));

  for (size_t i = 1; i < processes.size(); ++i)
    EXPECT_OK(processes[i]->Terminate()) << processes[i]->Stderr();
  EXPECT_OK(Check());
}

// Killed where rows are on their way between stages, and taken up by a job of another name.
TEST_F(StagesTest, GoesOnFromASavepointUnderAnotherName) {
  MakeTopics("stages-saved");
  ASSERT_OK(Fill(0, kRecords / 2));
  ASSERT_OK_AND_ASSIGN(const auto killed, Start(1, false, "commit.after_kafka_commit=kill@3"));
  ASSERT_OK_AND_ASSIGN(const ExitStatus killed_exit, killed->Wait());
  ASSERT_EQ(killed_exit.signal, SIGKILL) << killed->Stderr();

  ASSERT_OK_AND_ASSIGN(const ToolResult saved, Save());
  ASSERT_EQ(saved.exit.code, 0) << saved.err;
  ASSERT_OK(Fill(kRecords / 2, kRecords - kRecords / 2));
  UseJob("stages-saved-again", statements_);
  std::string output;
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, RunFromSavepoint(output));

  EXPECT_EQ(exit.code, 0) << output;
  EXPECT_OK(Check());
  // Given once, it is not given again.
  ASSERT_OK_AND_ASSIGN(const ExitStatus again, RunFromSavepoint(output));
  EXPECT_EQ(again.code, 0) << output;
  EXPECT_OK(Check());
}

TEST_F(StagesTest, ASavepointIsRefusedWhereItDoesNotFit) {
  MakeTopics("stages-refused");
  ASSERT_OK_AND_ASSIGN(const ToolResult too_early, Save());
  EXPECT_NE(too_early.exit.code, 0);
  EXPECT_NE(too_early.err.find("has not committed anything yet"), std::string::npos)
      << too_early.err;

  ASSERT_OK(Fill(0, kRecords));
  ASSERT_OK_AND_ASSIGN(const auto process, Start(1, true));
  ASSERT_OK_AND_ASSIGN(const ExitStatus ended, process->Wait());
  ASSERT_EQ(ended.code, 0) << process->Stderr();
  ASSERT_OK_AND_ASSIGN(const ToolResult saved, Save());
  ASSERT_EQ(saved.exit.code, 0) << saved.err;
  ASSERT_OK_AND_ASSIGN(const ToolResult twice, Save());
  EXPECT_NE(twice.exit.code, 0) << "the file is there";

  std::string output;
  ASSERT_OK_AND_ASSIGN(const ExitStatus has_state, RunFromSavepoint(output));
  EXPECT_NE(has_state.code, 0);
  EXPECT_NE(output.find("has committed state of its own"), std::string::npos) << output;

  std::string changed = statements_;
  const std::string minute = "INTERVAL '1' MINUTE";
  for (size_t at = changed.find(minute); at != std::string::npos; at = changed.find(minute))
    changed.replace(at, minute.size(), "INTERVAL '2' MINUTE");
  UseJob("stages-changed", changed);
  ASSERT_OK_AND_ASSIGN(const ExitStatus is_changed, RunFromSavepoint(output));
  EXPECT_NE(is_changed.code, 0);
  EXPECT_NE(output.find("its state is another than the job's"), std::string::npos) << output;
}

TEST_P(StagesTest, KilledAtEachStepOfACommit) {
  std::string name = fmt::format("stages-{}", GetParam());
  for (char& c : name)
    c = std::isalnum(static_cast<unsigned char>(c)) == 0 ? '-' : c;
  MakeTopics(name);
  ASSERT_OK(Fill(0, kRecords));
  ASSERT_OK_AND_ASSIGN(const auto killed, Start(1, true, GetParam()));
  ASSERT_OK_AND_ASSIGN(const ExitStatus killed_exit, killed->Wait());
  ASSERT_EQ(killed_exit.signal, SIGKILL) << killed->Stderr();

  ASSERT_OK_AND_ASSIGN(const auto process, Start(2, true));
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, process->Wait());

  EXPECT_EQ(exit.code, 0) << process->Stderr();
  EXPECT_OK(Check());
}

INSTANTIATE_TEST_SUITE_P(Steps,
                         StagesTest,
                         ::testing::Values("task.mid_batch=kill@2",
                                           "commit.after_begin=kill@3",
                                           "commit.after_produce=kill@2",
                                           "commit.after_produce=kill@3",
                                           "commit.after_offsets=kill@3",
                                           "commit.after_kafka_commit=kill@2",
                                           "commit.after_kafka_commit=kill@3"),
                         [](const auto& step) {
                           std::string name = step.param;
                           for (char& c : name)
                             c = std::isalnum(static_cast<unsigned char>(c)) == 0 ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace slipstream::test_support
