#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check/check.h"
#include "processor/engine/job_compiler.h"
#include "processor/planner/planner.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/saved_state.h"
#include "tests/fuzz/target.h"
#include "tests/sql/collected_output.h"

// State that a job saved, damaged, given to a new task: it is refused, or it is a state like any
// other: rows can be added, it ends in results, and saved again and restored it gives the same.

namespace slipstream::fuzz {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE k (a INT, b STRING, c DOUBLE, d DECIMAL(10, 2), e BOOLEAN, ts TIMESTAMP(3),
                WATERMARK FOR ts AS ts)
  WITH ('connector' = 'kafka', 'topic' = 'k', 'format' = 'json',
        'properties.bootstrap.servers' = 'localhost:1');
CREATE TABLE p (r STRING) WITH ('connector' = 'print');
)sql";

// Between them all aggregates, all types of keys, and both kinds of state.
constexpr std::string_view kJobs[] = {
    R"sql(INSERT INTO p SELECT b || CAST(a AS STRING) || CAST(COUNT(*) AS STRING)
            || CAST(SUM(c) AS STRING) || CAST(AVG(d) AS STRING) || CAST(MAX(ts) AS STRING)
            || CAST(COUNT(DISTINCT c) AS STRING)
          FROM k GROUP BY a, b, e)sql",
    R"sql(INSERT INTO p SELECT CAST(window_end AS STRING) || CAST(STDDEV_POP(c) AS STRING)
            || LISTAGG(b) || MIN(b) || CAST(SUM(a) AS STRING) || CAST(MIN(d) AS STRING)
            || FIRST_VALUE(b) || CAST(LAST_VALUE(e) AS STRING) || CAST(SUM(DISTINCT d) AS STRING)
          FROM TABLE(TUMBLE(TABLE k, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
          GROUP BY window_start, window_end, c, d, ts)sql"};

constexpr std::string_view kRecords[] = {
    R"({"a":1,"b":"x","c":0.1,"d":1.25,"e":true,"ts":"2013-01-01 00:00:01"})",
    R"({"a":1,"b":"x","c":1e300,"d":-1.25,"e":true,"ts":"2013-01-01 00:00:02"})",
    R"({"a":null,"b":"","c":-1e-300,"d":null,"e":false,"ts":"2013-01-01 00:00:59.999"})"};

using Entries = SavedState::Entries;

const runtime::JobProgram& Program(size_t job) {
  static const auto* const kPrograms = [] {
    auto* const programs = new std::vector<std::unique_ptr<runtime::JobProgram>>;
    for (const std::string_view text : kJobs) {
      sql::Planner planner({.every_input_is_bounded = true, .settings = {}});
      const auto plan = planner.Plan("job", std::string(kTables) + std::string(text));
      SLIPSTREAM_CHECK(plan.ok(), "{}", plan.status().message());
      auto program = sql::CompileJob(
          *plan, {.is_bounded = true, .partition_count = [](const auto&) -> Result<int32_t> {
                    return 1;
                  }});
      SLIPSTREAM_CHECK(program.ok(), "{}", program.status().message());
      programs->push_back(std::move(*program));
    }
    return programs;
  }();
  return *(*kPrograms)[job];
}

void AddRecords(runtime::TaskProgram& task, sql::CollectedOutput& output) {
  std::vector<runtime::InputRecord> records;
  for (const std::string_view text : kRecords) {
    records.push_back({.key = {}, .value = text, .offset = static_cast<int64_t>(records.size())});
  }
  const Status status = task.Process(records, nullptr, output);
  SLIPSTREAM_CHECK(status.ok(), "{}", status.ToString());
}

// A task with the entries restored that it does not refuse.
std::unique_ptr<runtime::TaskProgram> Restored(const runtime::JobProgram& program,
                                               const Entries& entries,
                                               bool must_take_all) {
  auto task = program.MakeSourceTask(0, "k", 0);
  for (const auto& [key, value] : entries) {
    const Status status = task->Restore(key, value);
    SLIPSTREAM_CHECK(status.ok() || status.code() == Code::kDataLoss, "{}", status.ToString());
    // A task that met damage is not used any further.
    SLIPSTREAM_CHECK(status.ok() || !must_take_all, "its own state: {}", status.ToString());
    if (!status.ok()) return nullptr;
  }
  return task;
}

std::string End(runtime::TaskProgram& task) {
  sql::CollectedOutput output;
  (void)task.EndOfInput(output);
  return output.Text();
}

Entries StateOf(const runtime::JobProgram& program) {
  auto task = program.MakeSourceTask(0, "k", 0);
  sql::CollectedOutput output;
  AddRecords(*task, output);
  SavedState saved;
  SLIPSTREAM_CHECK(task->SaveChanges(saved).ok(), "not saved");
  return saved.entries;
}

void Run(std::string_view input) {
  InputReader reader(input);
  const runtime::JobProgram& program = Program(reader.Below(std::size(kJobs)));
  const bool adds_rows = reader.Bit();
  Entries entries;
  while (!reader.is_empty() && entries.size() < 8) {
    const std::string key(reader.Text());
    entries[key] = reader.Bytes(reader.Take<uint16_t>() % 1024);
  }
  const auto task = Restored(program, entries, false);
  if (task == nullptr) return;
  // All of it changes, and is saved again.
  SavedState saved{};
  saved.entries = entries;
  sql::CollectedOutput output;
  if (adds_rows) AddRecords(*task, output);
  SLIPSTREAM_CHECK(task->SaveChanges(saved).ok(), "not saved");
  const auto again = Restored(program, saved.entries, true);
  SLIPSTREAM_CHECK(End(*task) == End(*again), "restored it gives other rows");
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (size_t job = 0; job < std::size(kJobs); ++job) {
    for (const char adds_rows : {'\0', '\1'}) {
      std::string all = {static_cast<char>(job), adds_rows};
      for (const auto& [key, value] : StateOf(Program(job))) {
        std::string one = {static_cast<char>(key.size())};
        one += key + static_cast<char>(value.size() & 0xff) + static_cast<char>(value.size() >> 8) +
               value;
        seeds.push_back(std::string({static_cast<char>(job), adds_rows}) + one);
        all += one;
      }
      seeds.push_back(all);
    }
  }
  return seeds;
}

}  // namespace

const Target kSqlState{.name = "sql_state", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
