// Two processes with a copy of each other's state: one is killed, and the other goes on where it
// was, having read only what it did not know yet.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/http_get.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

constexpr int kKeys = 100'000;
constexpr int kTouched = 50;  // every so many keys come again
constexpr size_t kPartitions = 4;
constexpr size_t kTasks = 2 * kPartitions;  // of both stages
constexpr std::chrono::seconds kPatience{120};

// Every line of the log that holds `word`.
std::vector<std::string> Lines(const std::string& log, std::string_view word) {
  std::vector<std::string> lines;
  std::istringstream stream(log);
  for (std::string line; std::getline(stream, line);) {
    if (line.find(word) != std::string::npos) lines.push_back(line);
  }
  return lines;
}

// What is logged since a worker was given its partitions of the last generation.
std::string SinceLastRebalance(const std::string& log) {
  constexpr std::string_view kGeneration = " generation=";
  const size_t last = log.rfind(kGeneration);
  if (last == std::string::npos) return "";
  const size_t end = log.find(' ', last + kGeneration.size());
  return log.substr(log.find(log.substr(last, end - last + 1)));
}

// The number behind `name=`.
int NumberIn(const std::string& line, const std::string& name) {
  const size_t at = line.find(" " + name + "=");
  return at == std::string::npos ? -1 : std::stoi(line.substr(at + name.size() + 2));
}

class StandbyTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ++count_;
    ASSERT_OK(client_.CreateTopic(Topic("in"), kPartitions));
    ASSERT_OK(WriteFile(dir_ / "job.sql",
                        fmt::format(R"(
SET 'pipeline.name' = '{0}';
CREATE TABLE t (k INT) WITH ('connector' = 'kafka', 'topic' = '{1}',
  'scan.startup.mode' = 'earliest-offset', 'format' = 'json');
CREATE TABLE counts (k INT, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = '{2}', 'key.format' = 'json', 'value.format' = 'json');
INSERT INTO counts SELECT k, COUNT(*) FROM t GROUP BY k;
)",
                                    Topic("job"),
                                    Topic("in"),
                                    Topic("counts"))));
  }

  static std::string Topic(const std::string& what) {
    return fmt::format("standby-{}-{}", count_, what);
  }

  // A record of every `step`th key.
  Status Fill(int step) const {
    std::vector<KafkaRecord> records;
    for (int k = 0; k < kKeys; k += step) {
      records.push_back({.value = fmt::format(R"({{"k":{}}})", k),
                         .partition = k / step % static_cast<int>(kPartitions)});
    }
    return client_.Produce(Topic("in"), records);
  }

  Result<std::unique_ptr<Process>> Start(const std::string& name) const {
    return Process::Start(
        Command({.job = dir_ / "job.sql",
                 .brokers = KafkaBroker::Shared().bootstrap(),
                 .set = {{"state.backend", GetParam()}, {"state.rocksdb.memory", "16 mb"}},
                 .workers = 2,
                 .more_flags = {"--standby=2",
                                "--commit-interval=200ms",
                                "--state-dir=" + (dir_ / ("state-" + name)).string()}},
                dir_.path(),
                name));
  }

  // All counts that were ever given, key by key, and in their order.
  Result<std::map<int, std::vector<int>>> Counts() const {
    ASSIGN_OR_RETURN(const auto records, client_.ReadAll(Topic("counts")));
    std::map<int, std::vector<int>> counts;
    for (const KafkaRecord& record : records) {
      const nlohmann::json row = nlohmann::json::parse(record.value.value_or("null"));
      counts[row.at("k").get<int>()].push_back(row.at("n").get<int>());
    }
    return counts;
  }
  // Waits until every kTouched-th key has been counted to `n`.
  testing::AssertionResult Reaches(int n) const {
    return Eventually(
        [&]() -> Status {
          ASSIGN_OR_RETURN(const auto counts, Counts());
          if (counts.size() < size_t{kKeys}) return Unavailable("keys are missing");
          for (int k = 0; k < kKeys; k += kTouched) {
            if (counts.at(k).back() < n) return Unavailable(fmt::format("key {} is behind", k));
          }
          return {};
        },
        kPatience,
        std::chrono::milliseconds(500));
  }

  // What the workers of both processes say of themselves, in the order of their names; `process` is
  // whose it is.
  Result<std::vector<nlohmann::json>> Workers() const {
    std::vector<nlohmann::json> workers;
    for (Process* process : {first_.get(), second_.get()}) {
      ASSIGN_OR_RETURN(const ProcessEndpoint endpoint, process->WaitForEndpoint());
      ASSIGN_OR_RETURN(const HttpAnswer status, HttpGet(endpoint.admin, "/status"));
      for (nlohmann::json& worker : workers.emplace_back(nlohmann::json::parse(status.body)))
        worker["process"] = process->name();
    }
    std::vector<nlohmann::json> all;
    for (const nlohmann::json& of_process : workers)
      all.insert(all.end(), of_process.begin(), of_process.end());
    std::sort(all.begin(), all.end(), [](const nlohmann::json& a, const nlohmann::json& b) {
      return a.at("worker") < b.at("worker");
    });
    return all;
  }

  // Each worker has its tasks, and copies of just those that the death of a process would give it.
  Status HaveCaughtUp() const {
    ASSIGN_OR_RETURN(const std::vector<nlohmann::json> workers, Workers());
    // Partitions go to the workers by range.
    const auto owned = [&](const nlohmann::json& of, const std::string& without) {
      std::vector<nlohmann::json> alive;
      std::copy_if(workers.begin(), workers.end(), std::back_inserter(alive), [&](const auto& w) {
        return w.at("process") != without;
      });
      std::set<size_t> partitions;
      for (size_t p = 0; p < kPartitions; ++p) {
        if (alive[p * alive.size() / kPartitions].at("worker") == of.at("worker"))
          partitions.insert(p);
      }
      return partitions;
    };
    for (const nlohmann::json& worker : workers) {
      const std::set<size_t> own = owned(worker, "");
      std::set<size_t> copies;
      for (const char* dead : {"first", "second"}) {
        if (worker.at("process") != dead) copies.merge(owned(worker, dead));
      }
      for (const size_t p : own)
        copies.erase(p);
      for (const std::string& topic : {Topic("in"), Topic("job") + "-repartition-1"}) {
        if (Partitions(worker.at("tasks"), topic) != own ||
            Partitions(worker.at("standbys"), topic) != copies) {
          return Unavailable(worker.dump());
        }
      }
      for (const nlohmann::json& standby : worker.at("standbys")) {
        if (standby.value("lag", -1) != 0) return Unavailable(standby.dump());
      }
    }
    return {};
  }
  static std::set<size_t> Partitions(const nlohmann::json& list, const std::string& topic) {
    std::set<size_t> partitions;
    for (const nlohmann::json& item : list) {
      if (item.at("topic") == topic) partitions.insert(item.at("partition").get<size_t>());
    }
    return partitions;
  }

  // Every key has been counted once, and each process has half of the tasks, and copies of all that
  // it may get.
  void StartBoth() {
    ASSERT_OK_AND_ASSIGN(first_, Start("first"));
    ASSERT_OK(Fill(1));
    ASSERT_TRUE(Reaches(1)) << first_->Stderr();
    ASSERT_OK_AND_ASSIGN(second_, Start("second"));
    ExpectBothCaughtUp();
  }
  void ExpectBothCaughtUp() {
    ASSERT_TRUE(Eventually([this] { return HaveCaughtUp(); }, kPatience)) << second_->Stderr();
  }
  // As of a run that nothing happened to: each count once, and in order.
  void ExpectUndisturbed(const std::vector<int>& of_touched) const {
    ASSERT_OK_AND_ASSIGN(const auto counts, Counts());
    ASSERT_EQ(counts.size(), size_t{kKeys});
    for (const auto& [k, given] : counts) {
      ASSERT_EQ(given, k % kTouched == 0 ? of_touched : std::vector<int>{1}) << "key " << k;
    }
  }

  static inline int count_ = 0;  // of tests, which share a broker
  const TempDir dir_{"standby"};
  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};
  std::unique_ptr<Process> first_;
  std::unique_ptr<Process> second_;
};

TEST_P(StandbyTest, TheHeirOfAKilledProcessReadsOnlyTheRest) {
  ASSERT_NO_FATAL_FAILURE(StartBoth());
  ASSERT_OK(Fill(kTouched));
  ASSERT_TRUE(Reaches(2)) << second_->Stderr();

  first_->Kill();
  ASSERT_OK(Fill(kTouched));
  ASSERT_TRUE(Reaches(3)) << second_->Stderr();

  EXPECT_OK(second_->Terminate());  // all that it has logged is there then
  const std::string log = SinceLastRebalance(second_->Stderr());
  const std::vector<std::string> restored = Lines(log, "task_restored");
  EXPECT_GE(restored.size(), kTasks / 2) << log;
  int known = 0;
  int read = 0;
  for (const std::string& line : restored) {
    known += NumberIn(line, "changes");
    read += NumberIn(line, "records_read");
  }
  EXPECT_GT(known, kKeys / 4) << "half of the keys were the other's";
  EXPECT_LT(read, kKeys / kTouched) << log;
  // What its workers had before they go on with, and read nothing of it.
  EXPECT_EQ(restored.size() + Lines(log, "task_kept").size(), kTasks) << log;

  ExpectUndisturbed({1, 2, 3});
}

// It wakes up with all that it had, of which half has gone on elsewhere without it.
TEST_P(StandbyTest, AProcessThatWasAwayForgetsWhatOthersHaveChanged) {
  ASSERT_NO_FATAL_FAILURE(StartBoth());

  first_->Signal(SIGSTOP);
  ASSERT_OK(Fill(kTouched));
  ASSERT_TRUE(Reaches(2)) << second_->Stderr();
  first_->Signal(SIGCONT);
  ExpectBothCaughtUp();
  ASSERT_OK(Fill(kTouched));
  ASSERT_TRUE(Reaches(3)) << first_->Stderr() << second_->Stderr();

  ExpectUndisturbed({1, 2, 3});
  EXPECT_OK(first_->Terminate());
  EXPECT_OK(second_->Terminate());
}

INSTANTIATE_TEST_SUITE_P(Backends,
                         StandbyTest,
                         ::testing::Values("memory", "rocksdb"),
                         [](const auto& backend) { return std::string(backend.param); });

}  // namespace
}  // namespace slipstream::test_support
