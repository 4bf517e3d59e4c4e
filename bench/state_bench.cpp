// What state costs, by backend and by how much of it there is: a running aggregate, one of a window
// that stays open, a join and one by intervals, over keys that come one after the other, or mostly
// from a few (as popular ones do). Arguments: keys in thousands, megabytes of
// 'state.rocksdb.memory' (0: the memory backend), percent of the records that go to the first
// hundredth of the keys. Counters: memory of the process at the end, state on disk, both in
// megabytes.

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "common/scratch/rocksdb_scratch.h"
#include "processor/engine/job_compiler.h"
#include "processor/planner/planner.h"

namespace slipstream::sql {
namespace {

constexpr char kTables[] = R"(
CREATE TABLE t (side INT, k INT, v INT)
WITH ('connector' = 'kafka', 'topic' = 'input', 'format' = 'json');
CREATE TABLE timed (side INT, k INT, v INT, ts AS TO_TIMESTAMP_LTZ(v, 0),
  WATERMARK FOR ts AS ts - INTERVAL '1' HOUR)
WITH ('connector' = 'kafka', 'topic' = 'input', 'format' = 'json');
CREATE TABLE result (k INT, c BIGINT, s BIGINT) WITH ('connector' = 'blackhole');
)";
constexpr char kGroups[] =
    "INSERT INTO result SELECT k, COUNT(*), SUM(CAST(v AS BIGINT)) FROM t GROUP BY k;";
constexpr char kJoin[] =
    "INSERT INTO result SELECT a.k, a.v, b.v FROM (SELECT * FROM t WHERE side = 0) AS a "
    "JOIN (SELECT * FROM t WHERE side = 1) AS b ON a.k = b.k;";
constexpr char kWindow[] =
    "INSERT INTO result SELECT k, COUNT(*), SUM(CAST(v AS BIGINT)) "
    "FROM TABLE(TUMBLE(TABLE timed, DESCRIPTOR(ts), INTERVAL '1' HOUR)) "
    "GROUP BY k, window_start, window_end;";
constexpr char kIntervalJoin[] =
    "INSERT INTO result SELECT a.k, a.v, b.v FROM (SELECT * FROM timed WHERE side = 0) AS a "
    "JOIN (SELECT * FROM timed WHERE side = 1) AS b ON a.k = b.k "
    "AND b.ts BETWEEN a.ts - INTERVAL '20' MINUTE AND a.ts + INTERVAL '20' MINUTE;";
constexpr size_t kBatch = 10'000;
constexpr size_t kCommitEvery = 100'000;

class NoOutput final : public runtime::TaskOutput {
 public:
  void ToKafka(size_t, const runtime::OutputRecord&) override {}
  void ToFile(size_t, std::string_view, std::string_view, uint64_t) override {}
  void ToExchange(size_t, uint64_t, std::string_view) override {}
  void ToPrint(size_t, std::string_view) override {}
  void ToDeadLetters(const runtime::InputRecord&, std::string_view) override {}
  void ToLateRows(size_t, const runtime::InputRecord&, std::string_view) override {}
};

class CountedState final : public runtime::StateWriter {
 public:
  void Put(std::string_view key, std::string_view value) override {
    bytes += key.size() + value.size();
  }
  void Delete(std::string_view) override {}
  uint64_t bytes = 0;
};

double ResidentMegabytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// The records of one batch: every key once if `skew` is 0, in an order without order.
std::vector<std::string> MakeLines(size_t first, size_t keys, int64_t skew, std::mt19937& random) {
  std::vector<std::string> lines;
  lines.reserve(kBatch);
  for (size_t i = first; i < first + kBatch; ++i) {
    size_t key = i * 7'919 % keys;
    if (static_cast<int64_t>(random() % 100) < skew)
      key = random() % std::max(keys / 100, size_t{1});
    lines.push_back(R"({"side":)" + std::to_string(i / keys % 2) + R"(,"k":)" +
                    std::to_string(key) + R"(,"v":)" + std::to_string(i % 1'000) + "}");
  }
  return lines;
}

void Run(benchmark::State& state, const char* query) {
  const auto keys = static_cast<size_t>(state.range(0)) * 1'000;
  const auto memory = static_cast<size_t>(state.range(1));
  std::string dir = (std::filesystem::temp_directory_path() / "state-bench-XXXXXX").string();
  if (::mkdtemp(dir.data()) == nullptr) return state.SkipWithError("mkdtemp");
  std::unique_ptr<ScratchStore> scratch;
  if (memory > 0) {
    scratch =
        OpenRocksDbScratch({.dir = dir, .name = "bench", .memory_bytes = memory << 20}).value();
  }
  Planner planner({.every_input_is_bounded = false, .settings = {}});
  const JobPlan plan = planner.Plan("bench", std::string(kTables) + query).value();
  const auto program = CompileJob(plan,
                                  {.is_bounded = false,
                                   .partition_count = [](const auto&) { return 1; },
                                   .scratch = scratch.get()})
                           .value();
  NoOutput output;
  CountedState saved;
  for (auto _ : state) {
    const auto task = program->MakeSourceTask(0, "input", 0);
    std::mt19937 random(1);
    // Every key comes twice, or in a join once on each side.
    for (size_t first = 0; first < 2 * keys; first += kBatch) {
      state.PauseTiming();
      const std::vector<std::string> lines = MakeLines(first, keys, state.range(2), random);
      std::vector<runtime::InputRecord> records(lines.size());
      for (size_t i = 0; i < lines.size(); ++i)
        records[i].value = lines[i];
      state.ResumeTiming();
      if (!task->Process(records, nullptr, output).ok()) state.SkipWithError("process");
      const bool is_commit = (first + kBatch) % kCommitEvery == 0;
      if (is_commit && !task->SaveChanges(saved).ok()) state.SkipWithError("save");
    }
    state.counters["resident_mb"] = ResidentMegabytes();
    if (scratch != nullptr) {
      state.counters["disk_mb"] = static_cast<double>(scratch->counters().disk_bytes) / (1 << 20);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(2 * keys));
  scratch.reset();
  std::filesystem::remove_all(dir);
}

void Arguments(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMillisecond)->Iterations(1);
  for (const int64_t skew : {0, 90}) {
    for (const int64_t memory : {0, 1'024, 64, 16})
      bench->Args({1'000, memory, skew});
  }
}

void BM_StateOfGroups(benchmark::State& state) {
  Run(state, kGroups);
}
BENCHMARK(BM_StateOfGroups)->Apply(Arguments);

void BM_StateOfWindow(benchmark::State& state) {
  Run(state, kWindow);
}
BENCHMARK(BM_StateOfWindow)->Apply(Arguments);

void BM_StateOfJoin(benchmark::State& state) {
  Run(state, kJoin);
}
BENCHMARK(BM_StateOfJoin)->Apply(Arguments);

void BM_StateOfIntervalJoin(benchmark::State& state) {
  Run(state, kIntervalJoin);
}
BENCHMARK(BM_StateOfIntervalJoin)->Apply(Arguments);

}  // namespace
}  // namespace slipstream::sql
