// 'table.exec.state.ttl': what is kept of a key is forgotten once no row has come for so long, in
// processing time, and a task that takes over forgets at the same time. Joins: join_test.cpp.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"
#include "processor/engine/job_compiler.h"
#include "processor/planner/planner.h"
#include "tests/sql/collected_output.h"
#include "tests/sql/saved_state.h"
#include "tests/sql/tiny_scratch.h"

namespace slipstream::sql {
namespace {

using Lines = std::vector<std::string>;

constexpr char kTables[] =
    "SET 'table.exec.state.ttl' = '1 min';"
    "CREATE TABLE t (k INT, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = "
    "'kafka', 'topic' = 'input', 'format' = 'json');"
    "CREATE TABLE result (k INT, v BIGINT) WITH ('connector' = 'print');";

// On both backends: memory, and with whatever can be on disk there.
class StateTtlTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) scratch_.emplace();
  }

  void Compile(const std::string& query) {
    const Result<JobPlan> plan = Planner({}).Plan("job", kTables + ("INSERT INTO result " + query));
    ASSERT_TRUE(plan.ok()) << plan.status().message();
    Result<std::unique_ptr<runtime::JobProgram>> program =
        CompileJob(*plan,
                   {.partition_count = [](const auto&) { return 1; },
                    .clock = clock_,
                    .scratch = scratch_ ? scratch_->get() : nullptr});
    ASSERT_TRUE(program.ok()) << program.status().message();
    program_ = *std::move(program);
    task_ = program_->MakeSourceTask(0, "input", 0);
  }
  // What a row of key `k` gives.
  Lines Push(int k, int v, const std::string& second = "00") {
    const std::string line = R"({"k":)" + std::to_string(k) + R"(,"v":)" + std::to_string(v) +
                             R"(,"ts":"2020-01-01 00:00:)" + second + "\"}";
    const std::vector<runtime::InputRecord> records{
        {.key = std::nullopt, .value = line, .offset = 0, .timestamp_ms = 0, .headers = {}}};
    EXPECT_EQ(task_->Process(records, nullptr, output_), Status());
    return std::exchange(output_.lines["print"], {});
  }
  void Wait(int seconds) { clock_.Advance(std::chrono::seconds(seconds)); }
  // The state goes to another task.
  void TakeOver() {
    EXPECT_EQ(task_->SaveChanges(saved_), Status());
    const int64_t watermark = task_->watermark();
    task_ = program_->MakeSourceTask(0, "input", 0);
    for (const auto& [key, value] : saved_.entries)
      EXPECT_EQ(task_->Restore(key, value), Status());
    task_->RestoreWatermark(watermark);
  }
  size_t SavedKeys() {
    EXPECT_EQ(task_->SaveChanges(saved_), Status());
    return saved_.entries.size();
  }

  std::optional<TinyScratch> scratch_;
  ManualClock clock_;
  CollectedOutput output_;
  SavedState<runtime::StateWriter> saved_;
  std::unique_ptr<runtime::JobProgram> program_;
  std::unique_ptr<runtime::TaskProgram> task_;
};

TEST_P(StateTtlTest, AGroupLivesAsLongAsRowsCome) {
  Compile("SELECT k, COUNT(*) FROM t GROUP BY k");
  EXPECT_EQ(Push(1, 0), Lines{"+I[1, 1]"});
  EXPECT_EQ(Push(2, 0), Lines{"+I[2, 1]"});
  Wait(40);
  EXPECT_EQ(Push(1, 0), (Lines{"-U[1, 1]", "+U[1, 2]"}));
  TakeOver();

  Wait(40);

  EXPECT_EQ(Push(2, 0), Lines{"+I[2, 1]"}) << "80 s after its last row";
  EXPECT_EQ(Push(1, 0), (Lines{"-U[1, 2]", "+U[1, 3]"})) << "40 s after its last row";
  Wait(60);
  EXPECT_EQ(Push(3, 0), Lines{"+I[3, 1]"});
  EXPECT_EQ(SavedKeys(), 2U) << "one group and its time";
}

TEST_P(StateTtlTest, AForgottenRowCannotBeTakenBack) {
  Compile(
      "SELECT c, COUNT(*) FROM (SELECT CAST(MAX(v) AS INT) AS c, k FROM t GROUP BY k) GROUP BY "
      "c");
  EXPECT_EQ(Push(1, 5), Lines{"+I[5, 1]"});
  Wait(30);
  EXPECT_EQ(Push(1, 4), Lines{}) << "renews the group below alone";
  Wait(30);

  EXPECT_EQ(Push(1, 6), Lines{"+I[6, 1]"});
}

TEST_P(StateTtlTest, TopNForgetsPartitions) {
  Compile(
      "SELECT k, CAST(v AS BIGINT) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v "
      "DESC) AS n FROM t) WHERE n <= 1");
  EXPECT_EQ(Push(1, 5), Lines{"+I[1, 5]"});
  TakeOver();
  Wait(60);

  EXPECT_EQ(Push(1, 3), Lines{"+I[1, 3]"});
  EXPECT_EQ(SavedKeys(), 2U);
}

TEST_P(StateTtlTest, AFirstRowIsNotRenewedByThoseBehindIt) {
  Compile(
      "SELECT k, CAST(v AS BIGINT) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY "
      "ts) AS n FROM t) WHERE n = 1");
  EXPECT_EQ(Push(1, 5, "01"), Lines{"+I[1, 5]"});
  Wait(40);
  EXPECT_EQ(Push(1, 6, "02"), Lines{});
  TakeOver();
  Wait(20);

  EXPECT_EQ(Push(1, 7, "03"), Lines{"+I[1, 7]"});
}

TEST_P(StateTtlTest, OverForgetsWhatWasCounted) {
  Compile("SELECT k, COUNT(*) OVER (PARTITION BY k ORDER BY ts) FROM t");
  EXPECT_EQ(Push(1, 0, "01"), Lines{"+I[1, 1]"});
  Wait(40);
  EXPECT_EQ(Push(1, 0, "02"), Lines{"+I[1, 2]"});
  TakeOver();
  Wait(40);
  EXPECT_EQ(Push(1, 0, "03"), Lines{"+I[1, 3]"});
  Wait(60);

  EXPECT_EQ(Push(1, 0, "04"), Lines{"+I[1, 1]"});
}

// Also by the task that takes over, before it has seen a row of its own.
TEST_P(StateTtlTest, OverByArrivalForgetsWhatWasCounted) {
  Compile(
      "SELECT k, COUNT(*) OVER (PARTITION BY k ORDER BY p ROWS BETWEEN 9 PRECEDING AND CURRENT "
      "ROW) FROM (SELECT k, PROCTIME() AS p FROM t)");
  EXPECT_EQ(Push(1, 0), Lines{"+I[1, 1]"});
  EXPECT_EQ(Push(2, 0), Lines{"+I[2, 1]"});
  Wait(40);
  EXPECT_EQ(Push(1, 0), Lines{"+I[1, 2]"});
  TakeOver();
  Wait(40);

  EXPECT_EQ(Push(2, 0), Lines{"+I[2, 1]"}) << "80 s after its last row";
  EXPECT_EQ(Push(1, 0), Lines{"+I[1, 3]"}) << "40 s after its last row";
  Wait(60);
  EXPECT_EQ(Push(1, 0), Lines{"+I[1, 1]"});
}

TEST_P(StateTtlTest, DamagedTimesAreRefused) {
  Compile("SELECT k, COUNT(*) FROM t GROUP BY k");
  Push(1, 0);
  ASSERT_EQ(SavedKeys(), 2U);
  for (const auto& [key, value] : saved_.entries) {
    const auto restore = [&](const std::string& k, const std::string& v) {
      return program_->MakeSourceTask(0, "input", 0)->Restore(k, v).code();
    };
    EXPECT_EQ(restore(key, value), Code::kOk);
    EXPECT_EQ(restore(key.substr(0, 3), value), Code::kDataLoss);
    EXPECT_EQ(restore(key, ""), Code::kDataLoss);
    EXPECT_EQ(restore(key, "\x07" + value.substr(1)), Code::kDataLoss);
    EXPECT_EQ(restore(key, value + "x"), Code::kDataLoss);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, StateTtlTest, testing::Bool(), [](const auto& param) {
  return param.param ? "OnDisk" : "InMemory";
});

}  // namespace
}  // namespace slipstream::sql
