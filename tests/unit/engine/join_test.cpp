// What joins keep and forget: files that change under a lookup, state with a time to live, rows
// that the watermark has passed. What they give is in tests/sql/*joins.test.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"
#include "processor/engine/job_compiler.h"
#include "processor/planner/planner.h"
#include "tests/sql/collected_output.h"
#include "tests/sql/memory_file_source.h"
#include "tests/sql/saved_state.h"
#include "tests/sql/tiny_scratch.h"

namespace slipstream::sql {
namespace {

constexpr char kTables[] =
    "CREATE TABLE t (side INT, k INT, v STRING, ts TIMESTAMP(3), at_once AS PROCTIME(),"
    " WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = 'input', 'format' = 'json');"
    "CREATE TABLE names (k INT, name STRING) WITH ('connector' = 'filesystem', 'path' = '/names',"
    " 'format' = 'json');"
    "CREATE TABLE result (v STRING, w STRING) WITH ('connector' = 'print');"
    "CREATE VIEW a AS SELECT * FROM t WHERE side = 0;"
    "CREATE VIEW b AS SELECT * FROM t WHERE side = 1;";

// On both backends: memory, and with whatever can be on disk there.
class JoinTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) scratch_.emplace();
  }

  void Compile(const std::string& settings, const std::string& query) {
    Planner planner({.every_input_is_bounded = false});
    const Result<JobPlan> plan =
        planner.Plan("job", settings + kTables + "INSERT INTO result " + query);
    ASSERT_TRUE(plan.ok()) << plan.status().message();
    Result<std::unique_ptr<runtime::JobProgram>> program =
        CompileJob(*plan,
                   {.partition_count = [](const auto&) { return 1; },
                    .find_topics = nullptr,
                    .files = &files_,
                    .clock = clock_,
                    .scratch = scratch_ ? scratch_->get() : nullptr});
    ASSERT_TRUE(program.ok()) << program.status().message();
    program_ = *std::move(program);
    task_ = program_->MakeSourceTask(0, "input", 0);
  }
  Status Push(const std::string& line) {
    const std::vector<runtime::InputRecord> records{
        {.key = std::nullopt, .value = line, .offset = 0, .timestamp_ms = 0, .headers = {}}};
    return task_->Process(records, nullptr, output_);
  }
  // What was printed since the last call.
  std::vector<std::string> Printed() { return std::exchange(output_.lines["print"], {}); }
  size_t SavedRows() {
    EXPECT_EQ(task_->SaveChanges(saved_), Status());
    return saved_.entries.size();
  }

  using Lines = std::vector<std::string>;

  std::optional<TinyScratch> scratch_;
  ManualClock clock_;
  MemoryFileSource files_;
  CollectedOutput output_;
  SavedState<runtime::StateWriter> saved_;
  std::unique_ptr<runtime::JobProgram> program_;
  std::unique_ptr<runtime::TaskProgram> task_;
};

constexpr char kLookup[] =
    "SELECT t.v, n.name FROM t LEFT JOIN names FOR SYSTEM_TIME AS OF t.at_once AS n ON t.k = n.k";
constexpr char kRow[] = R"({"side":0,"k":1,"v":"x","ts":"2020-01-01 00:00:00"})";

TEST_P(JoinTest, ALookupReadsFilesAnewWhenTheyHaveChanged) {
  files_.Put("/names/1.jsonl", "{\"k\":1,\"name\":\"old\"}\n");
  Compile("", kLookup);
  ASSERT_EQ(Push(kRow), Status());
  EXPECT_EQ(Printed(), Lines{"+I[x, old]"});

  files_.Put("/names/1.jsonl", "{\"k\":1,\"name\":\"new\"}\n");
  clock_.Advance(std::chrono::seconds(9));
  ASSERT_EQ(Push(kRow), Status());
  EXPECT_EQ(Printed(), Lines{"+I[x, old]"}) << "it is not looked for every time";
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_EQ(Push(kRow), Status());
  EXPECT_EQ(Printed(), Lines{"+I[x, new]"});

  files_.Remove("/names/1.jsonl");
  clock_.Advance(std::chrono::seconds(10));
  ASSERT_EQ(Push(kRow), Status());
  EXPECT_EQ(Printed(), Lines{"+I[x, new]"}) << "the table stays while it cannot be reached";
}

TEST_P(JoinTest, RowsOfALookupFileThatCannotBeReadAreCountedEachTime) {
  files_.Put("/names/1", "{\"k\":1,\"name\":\"one\"}\nno row\n{\"k\":\"x\"}\n");
  Compile("", kLookup);
  EXPECT_EQ(program_->lookup_rows_bad(), 0U);

  ASSERT_EQ(Push(kRow), Status());
  EXPECT_EQ(Printed(), Lines{"+I[x, one]"}) << "the others make the table";
  EXPECT_EQ(program_->lookup_rows_bad(), 2U);

  files_.Put("/names/1", "{\"k\":1,\"name\":\"two\"}\nno row\n");
  clock_.Advance(std::chrono::minutes(1));
  ASSERT_EQ(Push(kRow), Status());
  EXPECT_EQ(Printed(), Lines{"+I[x, two]"});
  EXPECT_EQ(program_->lookup_rows_bad(), 3U);
}

TEST_P(JoinTest, ALookupInATableThatWasNeverThereFails) {
  Compile("", kLookup);

  EXPECT_EQ(Push(kRow).code(), Code::kNotFound);
}

std::string Row(int side, const std::string& v, const std::string& second) {
  return R"({"side":)" + std::to_string(side) + R"(,"k":1,"v":")" + v +
         R"(","ts":"2020-01-01 00:00:)" + second + "\"}";
}

TEST_P(JoinTest, WhatNothingHappensToIsForgotten) {
  Compile("SET 'table.exec.state.ttl' = '1 min';",
          "SELECT a.v, b.v FROM a LEFT JOIN b ON a.k = b.k");
  ASSERT_EQ(Push(Row(0, "early", "00")), Status());
  clock_.Advance(std::chrono::seconds(30));
  ASSERT_EQ(Push(Row(0, "late", "00")), Status());
  EXPECT_EQ(SavedRows(), 2U);
  Printed();

  clock_.Advance(std::chrono::seconds(30));
  ASSERT_EQ(Push(Row(1, "partner", "00")), Status());

  EXPECT_EQ(Printed(), (Lines{"-D[late, null]", "+I[late, partner]"}));
  EXPECT_EQ(SavedRows(), 2U);
}

TEST_P(JoinTest, AnIntervalJoinKeepsNoRowThatCanFindNoPartner) {
  Compile("",
          "SELECT a.v, b.v FROM a JOIN b ON a.k = b.k AND a.ts BETWEEN b.ts - INTERVAL '5' SECOND "
          "AND b.ts + INTERVAL '10' SECOND");
  ASSERT_EQ(Push(Row(0, "a", "00")), Status());
  ASSERT_EQ(Push(Row(1, "b", "00")), Status());
  EXPECT_EQ(SavedRows(), 2U);
  ASSERT_EQ(Push(Row(0, "a2", "06")), Status());
  EXPECT_EQ(SavedRows(), 2U) << "b may yet go with rows up to :10, the first a with none";
  ASSERT_EQ(Push(Row(1, "b2", "11")), Status());
  EXPECT_EQ(SavedRows(), 2U) << "b is gone, a2 may yet go with rows up to :11";
}

TEST_P(JoinTest, DamagedStateIsRefused) {
  for (const char* query : {"SELECT a.v, b.v FROM a LEFT JOIN b ON a.k = b.k",
                            "SELECT a.v, b.v FROM a JOIN b ON a.k = b.k AND a.ts = b.ts"}) {
    saved_.entries.clear();
    Compile("", query);
    ASSERT_EQ(Push(Row(0, "x", "00")), Status());
    ASSERT_EQ(SavedRows(), 1U);
    const auto& [key, value] = *saved_.entries.begin();
    const auto restore = [&](const std::string& k, const std::string& v) {
      return program_->MakeSourceTask(0, "input", 0)->Restore(k, v).code();
    };

    EXPECT_EQ(restore(key, value), Code::kOk);
    EXPECT_EQ(restore(key.substr(0, 4), value), Code::kDataLoss);
    EXPECT_EQ(restore(key, ""), Code::kDataLoss);
    EXPECT_EQ(restore(key, value.substr(0, 1)), Code::kDataLoss);
    EXPECT_EQ(restore(key, "\x07" + value.substr(1)), Code::kDataLoss);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, JoinTest, testing::Bool(), [](const auto& param) {
  return param.param ? "OnDisk" : "InMemory";
});

}  // namespace
}  // namespace slipstream::sql
