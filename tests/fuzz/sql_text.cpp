#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "common/check/check.h"
#include "processor/engine/batch_executor.h"
#include "processor/engine/job_compiler.h"
#include "processor/engine/result_renderer.h"
#include "processor/planner/planner.h"
#include "tests/fuzz/target.h"
#include "tests/sql/memory_file_source.h"

// Any text as a job: it becomes a plan, always the same one, or a diagnostic; the plan compiles or
// is refused; a query runs over a few rows and gives the same rows twice.

namespace slipstream::fuzz {
namespace {

using sql::BatchReport;
using sql::JobPlan;
using sql::PlanNode;

// Tables to ask about, so that a short text is enough.
constexpr const char* kTables = R"sql(
CREATE TABLE f (a INT, b STRING, c DOUBLE, d DECIMAL(10, 2), e BOOLEAN, ts TIMESTAMP(3),
                n ROW<x INT, y STRING>, l ARRAY<INT>,
                WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
  WITH ('connector' = 'filesystem', 'path' = '/f', 'format' = 'json');
CREATE TABLE k (a INT, b STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'kafka', 'topic' = 'k', 'format' = 'json',
        'properties.bootstrap.servers' = 'localhost:1');
CREATE TABLE p (a INT, b STRING) WITH ('connector' = 'print');
)sql";
constexpr const char* kRows = R"json(
{"a":1,"b":"one","c":1.5,"d":1.25,"e":true,"ts":"2013-01-01 05:15:00","n":{"x":1,"y":"z"},"l":[1,2]}
{"a":2,"b":"größe","c":-0.0,"d":-99999999.99,"e":false,"ts":"2013-01-01 05:16:00.123"}
{"a":-2147483648,"b":"","c":1e308,"ts":"0001-01-01 00:00:00"}
{}
no json
)json";

// What runs a query to its end takes memory and time by its numbers alone (REPEAT('x', 1000000));
// so little that a fuzzer sees what is out of proportion.
constexpr size_t kResultBytesMax = 16 << 20;

std::string Explanation(const JobPlan& plan) {
  std::string text;
  for (const sql::InsertPlan& insert : plan.inserts)
    text += Explain(insert);
  for (const JobPlan::Query& query : plan.queries)
    text += Explain(*query.query);
  for (const std::string& explanation : plan.explanations)
    text += explanation;
  return text;
}

Result<JobPlan> PlanText(const std::string& text, bool is_bounded) {
  sql::Planner planner({.every_input_is_bounded = is_bounded, .settings = {}});
  const Status tables = planner.LoadCatalog("tables", kTables);
  SLIPSTREAM_CHECK(tables.ok(), "{}", tables.message());
  return planner.Plan("job", text);
}

std::string RunQuery(const PlanNode& query) {
  sql::MemoryFileSource files(64);
  files.Put("/f/1", kRows);
  std::string text;
  const auto renderer = sql::ResultRenderer::Create(
      "json", query.output, [&](std::string_view part) { text += part; });
  SLIPSTREAM_CHECK(renderer.ok(), "{}", renderer.status().ToString());
  const auto note = [&](const sql::BadRow& row) {
    text += "bad: " + std::string(row.error) + "\n";
    return Status();
  };
  const Result<BatchReport> report = sql::RunQuery(
      query, {.files = &files, .on_bad_row = note, .stop = {}}, [&](const sql::Batch& batch) {
        (*renderer)->Rows(batch);
        return text.size() > kResultBytesMax ? Cancelled("enough") : Status();
      });
  (*renderer)->End();
  return text + report.status().ToString();
}

// The clock and chance differ from one run to the next.
bool IsRepeatable(std::string_view plan) {
  for (const std::string_view name :
       {"RAND", "UUID", "NOW", "CURRENT", "LOCAL", "PROCTIME", "UNIX_TIMESTAMP"}) {
    if (plan.find(name) != std::string_view::npos) return false;
  }
  return true;
}

// Such rows come by the clock, for as long as somebody looks.
bool HasGeneratedRows(const PlanNode& node) {
  if (node.kind == PlanNode::Kind::kScan) return node.table->connector() == "datagen";
  return std::any_of(node.inputs.begin(), node.inputs.end(), [](const sql::PlanNodePtr& input) {
    return HasGeneratedRows(*input);
  });
}

void Compile(const JobPlan& plan, bool is_bounded) {
  if (plan.inserts.empty()) return;
  if (sql::RunsAsTasks(plan, is_bounded)) {
    (void)sql::CompileJob(plan,
                          {.is_bounded = is_bounded,
                           .partition_count = [](const auto&) -> Result<int32_t> { return 1; }});
  } else {
    (void)sql::BatchJob::Compile(plan, is_bounded);
  }
}

void Run(std::string_view input) {
  // The first byte says whether inputs end; it is a blank or a line end to whoever reads it.
  const bool is_bounded = input.empty() || input.front() != '\n';
  const std::string text(input);
  const Result<JobPlan> plan = PlanText(text, is_bounded);
  if (!plan.ok()) {
    SLIPSTREAM_CHECK(
        plan.status().code() == Code::kInvalidArgument && !plan.status().message().empty(),
        "{}",
        plan.status().ToString());
    return;
  }
  const std::string explanation = Explanation(*plan);
  const Result<JobPlan> again = PlanText(text, is_bounded);
  const bool is_repeatable = IsRepeatable(explanation);
  SLIPSTREAM_CHECK(again.ok() && (Explanation(*again) == explanation || !is_repeatable),
                   "planned differently");
  Compile(*plan, is_bounded);
  for (const JobPlan::Query& query : plan->queries) {
    if (HasGeneratedRows(*query.query)) continue;
    const std::string rows = RunQuery(*query.query);
    if (is_repeatable) SLIPSTREAM_CHECK(RunQuery(*query.query) == rows, "ran differently");
  }
}

// ---- Seeds: what the tests of the SQL engine are made of ----

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The expressions and statements of a golden file.
void AddGolden(const std::filesystem::path& path, std::vector<std::string>& seeds) {
  std::ifstream file(path);
  std::string line;
  std::string section;
  while (std::getline(file, line)) {
    if (line.starts_with("=== ") || line.starts_with("--- ")) {
      section = line.substr(4);
      if (section == "job" || section == "query") seeds.emplace_back(" ");
    } else if (section == "expressions" && line.find(" => ") != std::string::npos) {
      seeds.push_back(" SELECT " + line.substr(0, line.rfind(" => ")));
    } else if (section == "job" || section == "query") {
      seeds.back() += line + "\n";
    }
  }
}

std::vector<std::string> Seeds() {
  const char* const root = std::getenv("SLIPSTREAM_SOURCE_DIR");
  const std::filesystem::path source = root == nullptr ? "." : root;
  std::vector<std::string> seeds = {" SELECT a, b || 'x', c * d FROM f WHERE e ORDER BY a LIMIT 2",
                                    "\nINSERT INTO p SELECT a, b FROM k"};
  for (const char* folder : {"jobs", "tests/sql", "tests/unit/sql/golden"}) {
    for (const auto& entry : std::filesystem::directory_iterator(source / folder)) {
      if (entry.path().extension() == ".sql") seeds.push_back(" " + ReadFile(entry.path()));
      if (entry.path().extension() == ".test") AddGolden(entry.path(), seeds);
    }
  }
  return seeds;
}

}  // namespace

const Target kSqlText{.name = "sql_text", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
