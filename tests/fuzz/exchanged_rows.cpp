#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/check/check.h"
#include "common/clock/manual_clock.h"
#include "processor/engine/job_compiler.h"
#include "processor/planner/planner.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/saved_state.h"
#include "tests/fuzz/target.h"
#include "tests/sql/collected_output.h"

// Rows on their way between stages, partial ones of aggregations that are put together among them,
// damaged, in a task that may forget what it keeps ('table.exec.state.ttl'): they are refused, or
// taken, and then the state they leave, saved and restored, gives the same from there on.

namespace slipstream::fuzz {
namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE k (a INT, b STRING, c DOUBLE, d DECIMAL(10, 2), ts TIMESTAMP(3),
                WATERMARK FOR ts AS ts)
  WITH ('connector' = 'kafka', 'topic' = 'k', 'format' = 'json',
        'properties.bootstrap.servers' = 'localhost:1');
CREATE TABLE p (r STRING) WITH ('connector' = 'print');
SET 'table.exec.state.ttl' = '10 s';
)sql";

// A running aggregate and one by windows, of partial rows; an aggregate over one, of updates; first
// rows, of rows as they are.
constexpr std::string_view kJobs[] = {
    R"sql(INSERT INTO p SELECT b || CAST(COUNT(*) AS STRING) || CAST(SUM(c) AS STRING)
            || CAST(AVG(d) AS STRING) || CAST(MAX(a) AS STRING) || CAST(STDDEV_POP(c) AS STRING)
            || CAST(COUNT(DISTINCT d) AS STRING) || LISTAGG(b) || CAST(MIN(d) AS STRING)
          FROM k GROUP BY b)sql",
    R"sql(INSERT INTO p SELECT CAST(window_end AS STRING) || CAST(COUNT(*) AS STRING)
            || CAST(SUM(d) AS STRING) || FIRST_VALUE(b) || CAST(PERCENTILE(c, 0.5) AS STRING)
          FROM TABLE(HOP(TABLE k, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '2' MINUTES))
          GROUP BY window_start, window_end)sql",
    R"sql(INSERT INTO p SELECT CAST(n AS STRING) || CAST(COUNT(*) AS STRING)
          FROM (SELECT a, COUNT(*) AS n FROM k GROUP BY a) GROUP BY n)sql",
    R"sql(INSERT INTO p SELECT b || CAST(a AS STRING) FROM (
            SELECT *, ROW_NUMBER() OVER (PARTITION BY b ORDER BY ts) AS n FROM k) WHERE n = 1)sql"};

constexpr std::string_view kRecords[] = {
    R"({"a":1,"b":"x","c":0.1,"d":1.25,"ts":"2013-01-01 00:00:01"})",
    R"({"a":1,"b":"x","c":1e300,"d":-1.25,"ts":"2013-01-01 00:01:02"})",
    R"({"a":2,"b":"","c":-1e-300,"d":0,"ts":"2013-01-01 00:02:59.999"})"};

using Rows = std::vector<std::string>;
using Entries = SavedState::Entries;

// What a task prints, and what it sends through each exchange.
class Output final : public sql::CollectedOutput {
 public:
  void ToExchange(size_t exchange, uint64_t, std::string_view row) override {
    sent[exchange].emplace_back(row);
  }

  std::map<size_t, Rows> sent;
};

ManualClock& TheClock() {
  static auto* const kClock = new ManualClock();
  return *kClock;
}

const runtime::JobProgram& Program(size_t job) {
  static const auto* const kPrograms = [] {
    auto* const programs = new std::vector<std::unique_ptr<runtime::JobProgram>>;
    for (const std::string_view text : kJobs) {
      const auto plan =
          sql::Planner({.settings = {}}).Plan("job", std::string(kTables) + std::string(text));
      SLIPSTREAM_CHECK(plan.ok(), "{}", plan.status().message());
      auto program =
          sql::CompileJob(*plan,
                          {.partition_count = [](const auto&) -> Result<int32_t> { return 2; },
                           .clock = TheClock()});
      SLIPSTREAM_CHECK(program.ok(), "{}", program.status().message());
      programs->push_back(std::move(*program));
    }
    return programs;
  }();
  return *(*kPrograms)[job];
}

// The first stage behind the sources.
size_t FirstExchange(const runtime::JobProgram& program) {
  return program.repartitions().front().exchanges.front().number;
}

void CheckTaken(const Status& status) {
  SLIPSTREAM_CHECK(status.ok() || status.code() == Code::kDataLoss, "rows: {}", status.ToString());
}

// What a source's task sends of the records.
Rows SentRows(const runtime::JobProgram& program) {
  auto task = program.MakeSourceTask(0, "k", 0);
  std::vector<runtime::InputRecord> records;
  for (const std::string_view text : kRecords)
    records.push_back({.key = {}, .value = text, .offset = static_cast<int64_t>(records.size())});
  Output output;
  SLIPSTREAM_CHECK(task->Process(records, nullptr, output).ok(), "not processed");
  SLIPSTREAM_CHECK(task->EndEpoch(output).ok(), "not ended");
  return output.sent[FirstExchange(program)];
}

// What the stage's task gives from here on, with the rows of a source that is well.
std::string GoOn(const runtime::JobProgram& program, const Rows& rows, runtime::TaskProgram& task) {
  Output output;
  const std::vector<std::string_view> views(rows.begin(), rows.end());
  Status status = task.ProcessExchanged(FirstExchange(program), views, output);
  if (status.ok()) status = task.EndOfInput(output);
  CheckTaken(status);
  std::string text = output.Text() + std::to_string(static_cast<int>(status.code()));
  for (const auto& [exchange, sent] : output.sent) {
    for (const std::string& row : sent)
      text += "\n" + row;
  }
  return text;
}

void Run(std::string_view input) {
  InputReader reader(input);
  const runtime::JobProgram& program = Program(reader.Below(std::size(kJobs)));
  const size_t exchange = FirstExchange(program);
  auto task = program.MakeStageTask(1, 0);
  runtime::EventTimeUs watermark = runtime::kNoWatermark;
  Output output;
  for (int step = 0; step < 16 && !reader.is_empty(); ++step) {
    TheClock().Advance(std::chrono::seconds(reader.Byte() % 16));
    Rows rows;
    for (size_t count = reader.Below(4); count > 0; --count)
      rows.emplace_back(reader.Bytes(reader.Take<uint16_t>() % 1024));
    const std::vector<std::string_view> views(rows.begin(), rows.end());
    const Status taken = task->ProcessExchanged(exchange, views, output);
    CheckTaken(taken);
    if (!taken.ok()) return;  // a task that met damage is not used any further
    if (!reader.Bit()) continue;
    constexpr runtime::EventTimeUs kBegin = 1'356'998'400'000'000;  // of 2013
    watermark =
        std::max(watermark, kBegin + runtime::EventTimeUs{reader.Take<uint16_t>()} * 100'000);
    const Status advanced = task->AdvanceExchange(exchange, watermark, output);
    CheckTaken(advanced);
    if (!advanced.ok()) return;
  }
  SLIPSTREAM_CHECK(task->EndEpoch(output).ok(), "not ended");
  SavedState saved;
  SLIPSTREAM_CHECK(task->SaveChanges(saved).ok(), "not saved");
  auto again = program.MakeStageTask(1, 0);
  for (const auto& [key, value] : saved.entries) {
    const Status restored = again->Restore(key, value);
    SLIPSTREAM_CHECK(restored.ok(), "its own state: {}", restored.ToString());
  }
  if (watermark != runtime::kNoWatermark) again->RestoreExchangeWatermark(exchange, watermark);
  const Rows well = SentRows(program);
  TheClock().Advance(std::chrono::seconds(reader.Byte() % 16));
  SLIPSTREAM_CHECK(GoOn(program, well, *task) == GoOn(program, well, *again),
                   "restored it gives other rows");
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (size_t job = 0; job < std::size(kJobs); ++job) {
    std::string all(1, static_cast<char>(job));
    for (const std::string& row : SentRows(Program(job))) {
      std::string step = {'\7', '\1'};  // seconds, and one row
      step += static_cast<char>(row.size() & 0xff);
      step += static_cast<char>(row.size() >> 8);
      step += row;
      seeds.push_back(std::string(1, static_cast<char>(job)) + step);
      all += step + std::string({'\1', '\x58', '\2'});  // and a minute of watermark
    }
    seeds.push_back(all);
  }
  return seeds;
}

}  // namespace

const Target kExchangedRows{.name = "exchanged_rows", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
