// State of many times 'state.rocksdb.memory' on a real broker: the job is killed, goes on from its
// changelog on disk, and then in memory. Prints what each takeover took, and the memory.

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
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

constexpr int kKeys = 300'000;
constexpr int kTouched = 10;  // every so many keys come again

class StateBackendTest : public ::testing::Test {
 protected:
  StateBackendTest() {
    EXPECT_OK(client_.CreateTopic("state-in", 1));
    EXPECT_OK(WriteFile(dir_ / "job.sql", R"(
SET 'pipeline.name' = 'state';
CREATE TABLE t (k INT) WITH ('connector' = 'kafka', 'topic' = 'state-in',
  'scan.startup.mode' = 'earliest-offset', 'format' = 'json');
CREATE TABLE counts (k INT, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = 'state-counts', 'key.format' = 'json',
  'value.format' = 'json');
INSERT INTO counts SELECT k, COUNT(*) FROM t GROUP BY k;
)"));
  }

  // A record of every `step`th key.
  Status Fill(int step) const {
    constexpr int kTogether = 50'000;
    std::vector<KafkaRecord> records;
    for (int k = 0; k < kKeys; k += step) {
      records.push_back({.value = fmt::format(R"({{"k":{}}})", k), .partition = 0});
      if (records.size() < kTogether) continue;
      RETURN_IF_ERROR(client_.Produce("state-in", records));
      records.clear();
    }
    return client_.Produce("state-in", records);
  }

  Result<std::unique_ptr<Process>> Start(const std::string& backend) {
    began_ = std::chrono::steady_clock::now();
    const ProcessorRun run{
        .job = dir_ / "job.sql",
        .brokers = KafkaBroker::Shared().bootstrap(),
        .set = {{"state.backend", backend}, {"state.rocksdb.memory", "8 mb"}},
        .more_flags = {"--commit-interval=200ms", "--state-dir=" + StateDir().string()}};
    return Process::Start(Command(run, dir_.path(), fmt::format("state-{}", ++starts_)));
  }
  // Waits until the counts of all keys with `n` for every kTouched-th one are there.
  testing::AssertionResult Reaches(int n) {
    return Eventually(
        [&] { return Check(n); }, std::chrono::seconds(120), std::chrono::milliseconds(500));
  }
  Status Check(int n) const {
    ASSIGN_OR_RETURN(const auto records, client_.ReadAll("state-counts"));
    std::map<std::string, std::string> last;
    for (const KafkaRecord& record : records)
      last[record.key.value()] = record.value.value_or("(deleted)");
    for (int k = 0; k < kKeys; ++k) {
      const std::string& value = last[fmt::format(R"({{"k":{}}})", k)];
      const int wanted = k % kTouched == 0 ? n : 1;
      if (value != fmt::format(R"({{"k":{},"n":{}}})", k, wanted)) {
        return DataLoss(fmt::format("key {}: {} instead of {}", k, value, wanted));
      }
    }
    return {};
  }
  double SecondsSinceStart() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }
  static int PeakMegabytes(const Process& process) {
    std::ifstream status(fmt::format("/proc/{}/status", process.pid()));
    for (std::string word; status >> word;) {
      int kilobytes = 0;
      if (word == "VmHWM:" && status >> kilobytes) return kilobytes / 1'024;
    }
    return 0;
  }
  std::filesystem::path StateDir() const { return dir_ / "state"; }
  int ScratchFolders() const {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(StateDir()))
      count += entry.path().filename().string().starts_with("state.scratch-") ? 1 : 0;
    return count;
  }

  const TempDir dir_{"state"};
  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};
  int starts_ = 0;
  std::chrono::steady_clock::time_point began_;
};

TEST_F(StateBackendTest, StateBeyondMemorySurvivesAKillAndAChangeOfBackend) {
  ASSERT_OK(Fill(1));
  ASSERT_OK_AND_ASSIGN(const auto first, Start("rocksdb"));
  ASSERT_TRUE(Reaches(1)) << first->Stderr();
  const int first_megabytes = PeakMegabytes(*first);
  first->Kill();
  EXPECT_EQ(ScratchFolders(), 1) << "what it had on disk is left behind";

  ASSERT_OK(Fill(kTouched));
  ASSERT_OK_AND_ASSIGN(const auto second, Start("rocksdb"));
  ASSERT_OK(second->WaitForOutput("task_restored"));
  const double second_seconds = SecondsSinceStart();
  EXPECT_EQ(ScratchFolders(), 1) << "its own alone";
  ASSERT_TRUE(Reaches(2)) << second->Stderr();
  const int second_megabytes = PeakMegabytes(*second);
  EXPECT_OK(second->Terminate());
  EXPECT_EQ(ScratchFolders(), 0);

  ASSERT_OK(Fill(kTouched));
  ASSERT_OK_AND_ASSIGN(const auto third, Start("memory"));
  ASSERT_OK(third->WaitForOutput("task_restored"));
  const double third_seconds = SecondsSinceStart();
  ASSERT_TRUE(Reaches(3)) << third->Stderr();
  const int third_megabytes = PeakMegabytes(*third);
  EXPECT_OK(third->Terminate());

  fmt::print(
      "{} keys: on disk peak {} MB, after a kill restored in {:.1f} s with {} MB;"
      " in memory in {:.1f} s with {} MB\n",
      kKeys,
      first_megabytes,
      second_seconds,
      second_megabytes,
      third_seconds,
      third_megabytes);
  EXPECT_LT(second_megabytes, third_megabytes - 40) << "the state is in memory after all";
}

}  // namespace
}  // namespace slipstream::test_support
