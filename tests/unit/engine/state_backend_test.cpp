// State far larger than what may be in memory: every key is still there, and memory keeps to its
// bound. That both backends mean the same is in tests/sql, and by key in join_test.cpp and
// state_ttl_test.cpp.

#include "processor/engine/state_backend.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"
#include "common/scratch/rocksdb_scratch.h"
#include "processor/engine/job_compiler.h"
#include "processor/planner/planner.h"
#include "tests/sql/collected_output.h"
#include "tests/sql/saved_state.h"

namespace slipstream::sql {
namespace {

constexpr char kTables[] =
    "CREATE TABLE t (side INT, k INT, v INT, at_once AS PROCTIME(), ts AS TO_TIMESTAMP_LTZ(v, 3), "
    "WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = 'input', 'format' = 'json');"
    "CREATE TABLE timed (side INT, k INT, v INT, s INT, ts AS TO_TIMESTAMP_LTZ(s, 0),"
    " WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE) WITH ('connector' = 'kafka', 'topic' = "
    "'input', 'format' = 'json');"
    "CREATE VIEW versions AS SELECT k, v, ts FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k"
    " ORDER BY ts DESC) AS n FROM timed WHERE side = 1) WHERE n = 1;"
    "CREATE TABLE result (k INT, v BIGINT) WITH ('connector' = 'print');";
constexpr size_t kMemoryBytes = size_t{1} << 20;
constexpr int kKeys = 20'000;

class StateBackendTest : public testing::Test {
 protected:
  StateBackendTest() {
    std::string dir = (std::filesystem::temp_directory_path() / "state-XXXXXX").string();
    EXPECT_NE(::mkdtemp(dir.data()), nullptr);
    dir_ = dir;
    auto store = OpenRocksDbScratch({.dir = dir_, .name = "job", .memory_bytes = kMemoryBytes});
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    scratch_ = *std::move(store);
  }
  ~StateBackendTest() override {
    task_.reset();
    scratch_.reset();
    std::filesystem::remove_all(dir_);
  }

  void Compile(const std::string& query, const std::string& settings = "") {
    Planner planner({.every_input_is_bounded = false});
    const Result<JobPlan> plan =
        planner.Plan("job", settings + kTables + ("INSERT INTO result " + query));
    ASSERT_TRUE(plan.ok()) << plan.status().message();
    Result<std::unique_ptr<runtime::JobProgram>> program =
        CompileJob(*plan,
                   {.partition_count = [](const auto&) { return 1; },
                    .clock = clock_,
                    .scratch = scratch_.get()});
    ASSERT_TRUE(program.ok()) << program.status().message();
    program_ = *std::move(program);
    task_ = program_->MakeSourceTask(0, "input", 0);
  }
  // Rows of the keys, some at a time, with a save after each. `second`: of their event time.
  void Push(int side, int first, int last, int v, int second = 0) {
    constexpr int kTogether = 1'000;
    for (; first < last; first += kTogether) {
      std::vector<std::string> lines;
      for (int k = first; k < std::min(first + kTogether, last); ++k) {
        lines.push_back(R"({"side":)" + std::to_string(side) + R"(,"k":)" + std::to_string(k) +
                        R"(,"v":)" + std::to_string(v) + R"(,"s":)" + std::to_string(second) + "}");
      }
      std::vector<runtime::InputRecord> records(lines.size());
      for (size_t i = 0; i < lines.size(); ++i)
        records[i].value = lines[i];
      ASSERT_EQ(task_->Process(records, nullptr, output_), Status());
      ASSERT_EQ(task_->SaveChanges(saved_), Status());
      const ScratchStore::Counters counters = scratch_->counters();
      ASSERT_LE(counters.cached_bytes, kMemoryBytes / 2);
    }
  }
  // A row of no key that counts, which brings the watermark to this second.
  void Advance(int second) { Push(9, -1, 0, 0, second + 60); }
  // Of each key a row with 1, one with 2 and, by the next owner of the task, one with 4.
  void PushThreeTimes() {
    Push(0, 0, kKeys, 1);
    Push(0, 0, kKeys, 2);
    TakeOver();
    Push(0, 0, kKeys, 4);
  }
  // By key, what all that was printed comes to; the sum of v.
  std::map<std::string, int64_t> Sums() {
    std::map<std::string, int64_t> sums;
    for (const std::string& line : output_.lines["print"]) {
      const size_t comma = line.find(',');
      const int64_t v = std::stoll(line.substr(comma + 1));
      sums[line.substr(3, comma - 3)] += line[0] == '+' ? v : -v;
    }
    return sums;
  }
  void ExpectEveryKey(int64_t v) {
    const std::map<std::string, int64_t> sums = Sums();
    EXPECT_EQ(sums.size(), static_cast<size_t>(kKeys));
    for (const auto& [key, sum] : sums)
      ASSERT_EQ(sum, v) << key;
  }
  void TakeOver() {
    task_ = program_->MakeSourceTask(0, "input", 0);
    for (const auto& [key, value] : saved_.entries)
      ASSERT_EQ(task_->Restore(key, value), Status());
    EXPECT_LE(scratch_->counters().cached_bytes, kMemoryBytes / 2);
  }
  void ExpectStateBeyondTheBound() const {
    size_t bytes = 0;
    for (const auto& [key, value] : saved_.entries)
      bytes += key.size() + value.size();
    EXPECT_GT(bytes, kMemoryBytes / 2) << "without what it takes to hold them";
    EXPECT_GT(scratch_->counters().written_bytes, kMemoryBytes / 2);
  }
  void ExpectStateFarBeyondTheBound() const {
    ExpectStateBeyondTheBound();
    EXPECT_GT(scratch_->counters().reads_found, static_cast<uint64_t>(kKeys / 4));
  }

  std::filesystem::path dir_;
  std::unique_ptr<ScratchStore> scratch_;
  ManualClock clock_;
  CollectedOutput output_;
  SavedState<runtime::StateWriter> saved_;
  std::unique_ptr<runtime::JobProgram> program_;
  std::unique_ptr<runtime::TaskProgram> task_;
};

TEST_F(StateBackendTest, GroupsBeyondTheBoundAreAllThere) {
  Compile("SELECT k, SUM(v) FROM t GROUP BY k");
  PushThreeTimes();

  ExpectEveryKey(7);
  ExpectStateFarBeyondTheBound();
}

TEST_F(StateBackendTest, RowsOfAJoinBeyondTheBoundAreAllThere) {
  Compile(
      "SELECT a.k, a.v + b.v FROM (SELECT * FROM t WHERE side = 0) AS a"
      " JOIN (SELECT * FROM t WHERE side = 1) AS b ON a.k = b.k");
  Push(0, 0, kKeys, 1);
  TakeOver();
  Push(1, 0, kKeys, 2);

  ExpectEveryKey(3);
  ExpectStateFarBeyondTheBound();
}

TEST_F(StateBackendTest, RowsOfSessionsBeyondTheBoundAreAllThere) {
  Compile("SELECT k, v FROM SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1' SECOND)");
  PushThreeTimes();
  EXPECT_TRUE(Sums().empty());
  ExpectStateFarBeyondTheBound();
  Push(1, kKeys, kKeys + 1, 10'000);

  ExpectEveryKey(7);
}

TEST_F(StateBackendTest, LastRowsBeyondTheBoundAreAllThere) {
  Compile(
      "SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY at_once DESC)"
      " AS n FROM t) WHERE n = 1");
  Push(0, 0, kKeys, 1);
  Push(0, 0, kKeys, 2);
  TakeOver();
  Push(0, 0, kKeys, 3);

  ExpectEveryKey(3);
  ExpectStateFarBeyondTheBound();
}

TEST_F(StateBackendTest, RunningSumsBeyondTheBoundAreAllThere) {
  Compile("SELECT k, SUM(v) OVER (PARTITION BY k ORDER BY at_once) FROM t");
  PushThreeTimes();

  ExpectEveryKey(1 + 3 + 7);
  ExpectStateFarBeyondTheBound();
}

TEST_F(StateBackendTest, FramesBeyondTheBoundAreAllThere) {
  Compile(
      "SELECT k, SUM(v) OVER (PARTITION BY k ORDER BY at_once ROWS BETWEEN 1 PRECEDING AND CURRENT "
      "ROW) FROM t");
  PushThreeTimes();

  ExpectEveryKey(1 + 3 + 6);
  ExpectStateFarBeyondTheBound();
}

TEST_F(StateBackendTest, RowsToLookBackAtBeyondTheBoundAreAllThere) {
  Compile("SELECT k, LAG(v, 1, 0) OVER (PARTITION BY k ORDER BY at_once) FROM t");
  PushThreeTimes();

  ExpectEveryKey(0 + 1 + 2);
  ExpectStateFarBeyondTheBound();
}

TEST_F(StateBackendTest, RowsOfAnIntervalBeyondTheBoundFindTheirPartners) {
  Compile(
      "SELECT a.k, a.v + b.v FROM (SELECT * FROM timed WHERE side = 0) AS a"
      " JOIN (SELECT * FROM timed WHERE side = 1) AS b"
      " ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '10' SECOND");
  Push(0, 0, kKeys, 1, 100);
  TakeOver();
  Push(1, 0, kKeys, 2, 105);

  ExpectEveryKey(3);
  ExpectStateFarBeyondTheBound();
  Advance(140);
  EXPECT_LT(saved_.entries.size(), 10U);
}

TEST_F(StateBackendTest, RowsOfAnIntervalBeyondTheBoundAreGivenAlone) {
  Compile(
      "SELECT a.k, COALESCE(b.v, 4) FROM (SELECT * FROM timed WHERE side = 0) AS a"
      " LEFT JOIN (SELECT * FROM timed WHERE side = 1) AS b"
      " ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '10' SECOND");
  Push(0, 0, kKeys, 1, 100);
  Push(1, 0, kKeys / 2, 4, 105);
  TakeOver();
  ExpectStateFarBeyondTheBound();
  Advance(140);

  ExpectEveryKey(4);
  EXPECT_LT(saved_.entries.size(), 10U);
}

TEST_F(StateBackendTest, VersionsBeyondTheBoundAreAllThere) {
  Compile(
      "SELECT a.k, b.v FROM (SELECT * FROM timed WHERE side = 0) AS a"
      " JOIN versions FOR SYSTEM_TIME AS OF a.ts AS b ON a.k = b.k");
  Push(1, 0, kKeys, 1, 100);
  Push(0, 0, kKeys, 0, 105);
  TakeOver();
  Push(1, 0, kKeys, 2, 110);
  Advance(120);
  ExpectEveryKey(1);
  Push(0, 0, kKeys, 0, 130);
  Advance(240);

  ExpectEveryKey(1 + 2);
  ExpectStateFarBeyondTheBound();
}

TEST_F(StateBackendTest, RowsOfWindowsThatAreJoinedBeyondTheBoundAreAllThere) {
  Compile(
      "SELECT a.k, a.v + b.v FROM"
      " (SELECT * FROM TABLE(TUMBLE(TABLE timed, DESCRIPTOR(ts), INTERVAL '1' HOUR))"
      " WHERE side = 0) AS a JOIN"
      " (SELECT * FROM TABLE(TUMBLE(TABLE timed, DESCRIPTOR(ts), INTERVAL '1' HOUR))"
      " WHERE side = 1) AS b"
      " ON a.k = b.k AND a.window_start = b.window_start AND a.window_end = b.window_end");
  Push(0, 0, kKeys, 1);
  TakeOver();
  Push(1, 0, kKeys, 2);
  Push(1, 0, kKeys, 9, 3650);
  EXPECT_EQ(saved_.entries.size() / kKeys, 3U);
  ExpectStateBeyondTheBound();
  Advance(3700);

  ExpectEveryKey(3);
  EXPECT_EQ(saved_.entries.size() / kKeys, 1U);
}

TEST_F(StateBackendTest, LastRowsOfWindowsBeyondTheBoundAreAllThere) {
  Compile(
      "SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k"
      " ORDER BY v DESC) AS n"
      " FROM TABLE(TUMBLE(TABLE timed, DESCRIPTOR(ts), INTERVAL '1' HOUR))) WHERE n <= 2");
  PushThreeTimes();
  ExpectStateFarBeyondTheBound();
  Advance(3700);

  ExpectEveryKey(2 + 4);
  EXPECT_LT(saved_.entries.size(), 10U);
}

TEST_F(StateBackendTest, GroupsOfWindowsBeyondTheBoundAreAllThere) {
  Compile(
      "SELECT k, SUM(v) FROM TABLE(TUMBLE(TABLE timed, DESCRIPTOR(ts), INTERVAL '1' HOUR))"
      " WHERE side = 0 GROUP BY k, window_start, window_end");
  PushThreeTimes();
  Push(0, 0, kKeys, 9, 3650);
  ExpectStateFarBeyondTheBound();
  EXPECT_EQ(saved_.entries.size() / kKeys, 2U);
  Advance(3700);

  ExpectEveryKey(7);
  EXPECT_EQ(saved_.entries.size() / kKeys, 1U);
}

TEST_F(StateBackendTest, GroupsOfWindowsThatOverlapBeyondTheBoundAreAllThere) {
  Compile(
      "SELECT k, SUM(v) FROM TABLE(HOP(TABLE timed, DESCRIPTOR(ts), INTERVAL '30' MINUTE,"
      " INTERVAL '1' HOUR)) WHERE side = 0 GROUP BY k, window_start, window_end");
  Push(0, 0, kKeys, 1);
  Push(0, 0, kKeys, 2, 1800);
  TakeOver();
  ExpectStateBeyondTheBound();
  Push(0, 0, kKeys, 4, 3620);
  Advance(3600);

  ExpectEveryKey(1 + (1 + 2));
  Advance(10'000);
  ExpectEveryKey(1 + (1 + 2) + (2 + 4) + 4);
  EXPECT_LT(saved_.entries.size(), 10U);
}

TEST_F(StateBackendTest, SessionsBeyondTheBoundAreAllThere) {
  Compile(
      "SELECT k, SUM(v) FROM TABLE(SESSION(TABLE timed PARTITION BY k, DESCRIPTOR(ts), INTERVAL "
      "'10' MINUTE)) WHERE side = 0 GROUP BY k, window_start, window_end");
  Push(0, 0, kKeys, 1, 1000);
  Push(0, 0, kKeys, 2, 1300);
  TakeOver();
  Push(0, 0, kKeys, 4, 960);
  Push(0, 0, kKeys, 8, 1930);
  ExpectStateFarBeyondTheBound();
  EXPECT_EQ(saved_.entries.size() / kKeys, 2U);
  Advance(2300);

  ExpectEveryKey(1 + 2 + 4);
  EXPECT_EQ(saved_.entries.size() / kKeys, 1U);
}

TEST_F(StateBackendTest, KeysBeyondTheBoundAreForgottenInTime) {
  Compile("SELECT k, SUM(v) FROM t GROUP BY k", "SET 'table.exec.state.ttl' = '1 min';");
  Push(0, 0, kKeys, 1);
  clock_.Advance(std::chrono::seconds(40));
  Push(0, 0, kKeys / 2, 2);
  TakeOver();
  ExpectStateFarBeyondTheBound();
  clock_.Advance(std::chrono::seconds(40));
  output_.lines.clear();
  Push(0, 0, kKeys, 4);

  const std::map<std::string, int64_t> sums = Sums();
  EXPECT_EQ(sums.size(), static_cast<size_t>(kKeys));
  // What the row adds to those that were written again, what it is to the others.
  for (const auto& [key, sum] : sums)
    ASSERT_EQ(sum, 4) << key;
  size_t updates = 0;
  for (const std::string& line : output_.lines["print"])
    updates += line.starts_with("+U") ? 1 : 0;
  EXPECT_EQ(updates, static_cast<size_t>(kKeys / 2));
  clock_.Advance(std::chrono::seconds(60));
  Push(0, 0, 1, 1);
  EXPECT_LT(saved_.entries.size(), 10U);
}

TEST_F(StateBackendTest, RunningSumsOfOlderVersionsAreRead) {
  Compile("SELECT k, SUM(v) OVER (PARTITION BY k ORDER BY at_once) FROM t");
  Push(0, 0, 10, 1);
  size_t sums = 0;
  constexpr size_t kRowCountBytes = 8;
  for (auto& [key, value] : saved_.entries) {
    // version, operator, the clock's key, and OVER's
    if (key.substr(3, 2) != "ia") continue;
    ASSERT_EQ(value.front(), 2);
    value.erase(0, 1 + kRowCountBytes).insert(0, 1, '\1');
    ++sums;
  }
  EXPECT_EQ(sums, 10U);
  TakeOver();
  output_.lines.clear();
  Push(0, 0, 10, 2);

  EXPECT_EQ(Sums().size(), 10U);
  for (const auto& [key, sum] : Sums())
    EXPECT_EQ(sum, 3) << key;
}

TEST_F(StateBackendTest, AScratchStoreThatFailsStopsTheTask) {
  Compile("SELECT k, SUM(v) FROM t GROUP BY k");
  Push(0, 0, kKeys / 8, 1);
  scratch_->NewSpace()->Fail(ResourceExhausted("no space left"));

  const std::string line = R"({"side":0,"k":1,"v":1})";
  const std::vector<runtime::InputRecord> records{{.key = std::nullopt, .value = line}};
  EXPECT_EQ(task_->Process(records, nullptr, output_).code(), Code::kResourceExhausted);
  EXPECT_EQ(task_->SaveChanges(saved_).code(), Code::kResourceExhausted);
}

TEST_F(StateBackendTest, TooMuchThatIsNotCommittedAsksForACommit) {
  Compile("SELECT k, SUM(v) FROM t GROUP BY k");
  std::vector<std::string> lines;
  for (int k = 0; k < kKeys; ++k)
    lines.push_back(R"({"side":0,"k":)" + std::to_string(k) + R"(,"v":1})");
  std::vector<runtime::InputRecord> records(lines.size());
  for (size_t i = 0; i < lines.size(); ++i)
    records[i].value = lines[i];

  EXPECT_FALSE(task_->wants_commit());
  ASSERT_EQ(task_->Process(records, nullptr, output_), Status());
  EXPECT_TRUE(task_->wants_commit());
  ASSERT_EQ(task_->SaveChanges(saved_), Status());
  EXPECT_FALSE(task_->wants_commit());
}

TEST(StateBackendSettingsTest, AreReadAndChecked) {
  const auto backend_of = [](const Options& settings) { return StateBackendOf(settings); };
  EXPECT_FALSE(backend_of({})->is_on_disk);
  EXPECT_FALSE(backend_of({{"state.backend", "hashmap"}})->is_on_disk);
  const auto on_disk =
      backend_of({{"state.backend.type", "RocksDB"}, {"state.rocksdb.memory", "16 mb"}});
  ASSERT_TRUE(on_disk.ok());
  EXPECT_TRUE(on_disk->is_on_disk);
  EXPECT_EQ(on_disk->memory_bytes, uint64_t{16} << 20);
  EXPECT_EQ(backend_of({{"state.backend", "forst"}}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(backend_of({{"state.rocksdb.memory", "much"}}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(backend_of({{"state.rocksdb.memory", "1 mb"}}).status().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace slipstream::sql
