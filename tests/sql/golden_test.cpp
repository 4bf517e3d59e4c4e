// Every case of the golden files next to this one, through parser, planner and engine, without
// Kafka. A job runs three ways, which must give the same rows: all records at once; one by one; and
// with its state saved and restored into a new task at random points; and all of that again with
// whatever can be out of memory on disk. One over several tables runs with their records mixed in
// different ways.

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"
#include "processor/engine/batch_executor.h"
#include "processor/engine/job_compiler.h"
#include "processor/engine/result_renderer.h"
#include "processor/planner/planner.h"
#include "processor/types/date_time.h"
#include "tests/sql/collected_output.h"
#include "tests/sql/golden_case.h"
#include "tests/sql/interleaved_run.h"
#include "tests/sql/memory_file_source.h"
#include "tests/sql/saved_state.h"
#include "tests/sql/tiny_scratch.h"

namespace slipstream::sql {
namespace {

std::string SourceDir() {
  const char* folder = std::getenv("SLIPSTREAM_SOURCE_DIR");
  return folder == nullptr ? "." : folder;
}

std::string ReadWhole(const std::string& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class JobRun {
 public:
  // A line "@now 2024-01-01 00:00:10.5" sets the clock, from the record behind it on.
  JobRun(const runtime::JobProgram& program,
         const std::vector<std::string>& lines,
         ManualClock& clock)
      : program_(program), clock_(clock) {
    output_.Describe(program.kafka_sinks(), program.file_sinks());
    for (const std::string& line : lines) {
      std::string_view value = line;
      constexpr std::string_view kNow = "@now ";
      if (value.starts_with(kNow)) {
        pauses_.emplace_back(records_.size(), ParseTimestamp(value.substr(kNow.size())).value());
        continue;
      }
      const size_t i = records_.size();
      runtime::InputRecord& record = records_.emplace_back();
      constexpr std::string_view kKey = "@key ";
      constexpr std::string_view kArrow = " -> ";
      if (value.starts_with(kKey)) {
        const size_t arrow = value.find(kArrow);
        record.key = value.substr(kKey.size(), arrow - kKey.size());
        value.remove_prefix(arrow + kArrow.size());
      }
      if (value != "@null") record.value = value;
      if (value == "@empty") record.value = std::string_view();
      record.offset = static_cast<int64_t>(i);
      record.timestamp_ms = 1'000 * static_cast<int64_t>(i);
    }
    task_ = program_.MakeSourceTask(0, "input", 0);
  }

  std::string AtOnce() {
    size_t first = 0;
    for (const auto& [before, now_us] : pauses_) {
      Process(first, before - first);
      first = before;
      SetClock(now_us);
    }
    Process(first, records_.size() - first);
    return End();
  }
  std::string OneByOne() {
    for (size_t i = 0; i < records_.size(); ++i) {
      SetClockBefore(i);
      Process(i, 1);
    }
    SetClockBefore(records_.size());
    return End();
  }
  std::string WithRestores(uint64_t seed) {
    std::mt19937_64 random(seed);
    for (size_t i = 0; i < records_.size();) {
      SetClockBefore(i);
      size_t count = std::min<size_t>(random() % 4, records_.size() - i);
      if (next_pause_ < pauses_.size()) count = std::min(count, pauses_[next_pause_].first - i);
      Process(i, count);
      i += count;
      const uint64_t dice = random() % 4;
      if (dice <= 1) {
        EXPECT_EQ(task_->SaveChanges(saved_), Status());
      }
      if (dice == 0) Restart();
    }
    EXPECT_EQ(task_->SaveChanges(saved_), Status());
    Restart();
    SetClockBefore(records_.size());
    return End();
  }

 private:
  void SetClock(int64_t now_us) {
    const WallTime now{std::chrono::milliseconds(now_us / 1'000)};
    clock_.JumpWall(now - clock_.WallNow());
    const bool is_due = task_->next_tick_us() <= now_us;
    EXPECT_EQ(is_due ? task_->Tick(output_) : Status(), Status());
    EXPECT_GT(task_->next_tick_us(), now_us);
  }
  void SetClockBefore(size_t record) {
    for (; next_pause_ < pauses_.size() && pauses_[next_pause_].first <= record; ++next_pause_)
      SetClock(pauses_[next_pause_].second);
  }
  void Process(size_t first, size_t count) {
    if (count == 0) return;
    const auto records = std::span<const runtime::InputRecord>(records_).subspan(first, count);
    const Status status = task_->Process(records, nullptr, output_);
    if (!status.ok()) output_.lines["status"].push_back(status.ToString());
  }
  void Restart() {
    const runtime::EventTimeUs watermark = task_->watermark();
    task_ = program_.MakeSourceTask(0, "input", 0);
    for (const auto& [key, value] : saved_.entries)
      EXPECT_EQ(task_->Restore(key, value), Status());
    task_->RestoreWatermark(watermark);
  }
  std::string End() {
    const Status status = task_->EndOfInput(output_);
    if (!status.ok()) output_.lines["status"].push_back(status.ToString());
    return output_.Text();
  }

  const runtime::JobProgram& program_;
  ManualClock& clock_;
  std::vector<runtime::InputRecord> records_;
  std::vector<std::pair<size_t, int64_t>> pauses_;  // before which record the clock is set to what
  size_t next_pause_ = 0;
  CollectedOutput output_;
  SavedState<runtime::StateWriter> saved_;
  std::unique_ptr<runtime::TaskProgram> task_;
};

// What an update stream comes to: of upserts the last one for each key that was not deleted since,
// by key; of printed changes the rows that are left, as inserts, in order; all else as it came.
std::string Materialised(const std::string& text) {
  constexpr std::string_view kPrint = "print: ";
  std::map<std::string, int> printed;
  std::map<std::string, std::map<std::string, std::string>> upserted;  // by destination and key
  std::map<std::string, std::string> results;                          // by destination
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string destination = line.substr(0, line.find(": "));
    const size_t arrow = line.find(" -> ");
    if (line.starts_with(kPrint)) {
      const std::string row = line.substr(kPrint.size() + 2);
      printed[row] += line[kPrint.size()] == '+' ? 1 : -1;
      EXPECT_GE(printed[row], 0) << "a row is taken back that was not there: " << line;
    } else if (arrow != std::string::npos) {
      upserted[destination][line.substr(0, arrow)] = line;
    } else {
      results[destination] += line + "\n";
    }
  }
  for (const auto& [row, count] : printed) {
    for (int i = 0; i < count; ++i)
      results["print"] += std::string(kPrint) + "+I" + row + "\n";
  }
  for (const auto& [destination, last] : upserted) {
    for (const auto& [key, line] : last) {
      if (!line.ends_with(" -> (deleted)")) results[destination] += line + "\n";
    }
  }
  std::string all;
  for (const auto& [destination, result] : results)
    all += result;
  return all;
}

class GoldenTest : public testing::TestWithParam<GoldenCase> {
 protected:
  static void SetUpTestSuite() { scratch_ = std::make_unique<TinyScratch>(); }
  static void TearDownTestSuite() { scratch_.reset(); }

  std::string JobText() const {
    for (const auto& [title, lines] : GetParam().sections) {
      constexpr std::string_view kJobFile = "job-file ";
      if (title.starts_with(kJobFile)) {
        return ReadWhole(SourceDir() + "/jobs/" + title.substr(kJobFile.size()));
      }
    }
    return GetParam().Text("job");
  }

  MemoryFileSource Files() const {
    MemoryFileSource files;
    for (const auto& [title, lines] : GetParam().sections) {
      constexpr std::string_view kFile = "file ";
      if (title.starts_with(kFile)) files.Put(title.substr(kFile.size()), GetParam().Text(title));
    }
    return files;
  }

  void ExpectError(const Status& status) {
    ASSERT_TRUE(GetParam().Has("error")) << status.message();
    std::string expected = GetParam().Text("error");
    while (expected.ends_with('\n'))
      expected.pop_back();
    EXPECT_THAT(status.message(), testing::HasSubstr(expected));
  }

  void RunStreaming(const JobPlan& plan, ScratchStore* scratch) {
    MemoryFileSource files = Files();
    ManualClock clock;
    const Result<std::unique_ptr<runtime::JobProgram>> program =
        CompileJob(plan,
                   {.is_bounded = !GetParam().is_unbounded,
                    .partition_count = [](const auto&) { return 1; },
                    .find_topics = nullptr,
                    .files = &files,
                    .clock = clock,
                    .scratch = scratch});
    if (!program.ok()) return ExpectError(program.status());
    ASSERT_FALSE(GetParam().Has("error")) << "it compiles";
    const std::vector<std::string> input =
        GetParam().Has("input") ? GetParam().sections.at("input") : std::vector<std::string>();
    const std::string expected = GetParam().Text("output");
    const auto normal = [](const std::string& text) {
      return GetParam().is_unbounded ? Materialised(text) : text;
    };
    EXPECT_EQ(normal(JobRun(**program, input, clock).AtOnce()), expected) << "all at once";
    EXPECT_EQ(normal(JobRun(**program, input, clock).OneByOne()), expected) << "one by one";
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      EXPECT_EQ(normal(JobRun(**program, input, clock).WithRestores(seed)), expected)
          << "with restores, seed " << seed;
    }
  }

  // Tables whose records are in "--- input <topic>".
  InterleavedJob::Records InputsByTopic() const {
    InterleavedJob::Records inputs;
    for (const auto& [title, lines] : GetParam().sections) {
      constexpr std::string_view kInput = "input ";
      if (title.starts_with(kInput)) inputs[title.substr(kInput.size())] = lines;
    }
    return inputs;
  }

  void RunInterleaved(const JobPlan& plan, const InterleavedJob::Records& inputs) {
    const Result<std::unique_ptr<InterleavedJob>> job =
        InterleavedJob::Compile(plan, !GetParam().is_unbounded);
    if (!job.ok()) return ExpectError(job.status());
    for (uint64_t seed = 0; seed <= 20; ++seed) {
      for (ScratchStore* const scratch : {static_cast<ScratchStore*>(nullptr), scratch_->get()}) {
        const Result<std::string> output = (*job)->Run(inputs, seed, scratch);
        ASSERT_TRUE(output.ok()) << output.status().ToString();
        ASSERT_EQ(Materialised(*output), GetParam().Text("output"))
            << "seed " << seed << (scratch == nullptr ? "" : ", state on disk");
      }
    }
  }

  void RunBatch(const JobPlan& plan) {
    Result<std::unique_ptr<BatchJob>> job = BatchJob::Compile(plan, !GetParam().is_unbounded);
    if (!job.ok()) return ExpectError(job.status());
    MemoryFileSource files = Files();
    CollectedOutput output;
    output.Describe((*job)->kafka_sinks(), (*job)->file_sinks());
    const auto note = [&](const BadRow& row) {
      output.lines["bad"].push_back(std::string(row.text) + " because " + std::string(row.error));
      return Status();
    };
    const Result<BatchReport> report =
        (*job)->Run({.files = &files, .on_bad_row = note, .stop = {}}, output);
    if (!report.ok()) return ExpectError(report.status());
    EXPECT_EQ(output.Text(), GetParam().Text("output"));
  }

  void RunSelect(const JobPlan& plan) {
    ASSERT_EQ(plan.queries.size(), 1u);
    MemoryFileSource files = Files();
    std::string text;
    const PlanNode& query = *plan.queries.front().query;
    auto renderer =
        ResultRenderer::Create("csv", query.output, [&](std::string_view part) { text += part; });
    ASSERT_TRUE(renderer.ok());
    const auto note = [&](const BadRow& row) {
      text += "bad: " + std::string(row.error) + "\n";
      return Status();
    };
    const Result<BatchReport> report =
        RunQuery(query, {.files = &files, .on_bad_row = note, .stop = {}}, [&](const Batch& batch) {
          (*renderer)->Rows(batch);
          return Status();
        });
    if (!report.ok()) return ExpectError(report.status());
    EXPECT_EQ(text, GetParam().Text("result"));
  }

  static std::unique_ptr<TinyScratch> scratch_;
};

std::unique_ptr<TinyScratch> GoldenTest::scratch_;

// The value of one expression, as SQL prints it, or its error.
std::string EvaluateText(const std::string& expression) {
  Planner planner({.every_input_is_bounded = true, .settings = {}});
  const Result<JobPlan> plan = planner.Plan("expression", "SELECT " + expression);
  if (!plan.ok()) return "error: " + plan.status().message();
  const PlanNode& query = *plan->queries.front().query;
  std::string text;
  const auto note = [&](const BadRow& row) {
    text = "error: " + std::string(row.error);
    return Status();
  };
  const Result<BatchReport> report =
      RunQuery(query, {.files = nullptr, .on_bad_row = note, .stop = {}}, [&](const Batch& batch) {
        text = ToText(batch.columns[0].ValueAt(0), batch.columns[0].type);
        return Status();
      });
  return report.ok() ? text : "error: " + report.status().message();
}

TEST_P(GoldenTest, GivesTheExpectedRows) {
  if (GetParam().Has("expressions")) {
    constexpr std::string_view kArrow = " => ";
    for (const std::string& line : GetParam().sections.at("expressions")) {
      const size_t arrow = line.rfind(kArrow);
      ASSERT_NE(arrow, std::string::npos) << line;
      const std::string expected = line.substr(arrow + kArrow.size());
      const std::string actual = EvaluateText(line.substr(0, arrow));
      if (expected.starts_with("error: ")) {
        EXPECT_THAT(actual, testing::StartsWith("error: ")) << line;
        EXPECT_THAT(actual, testing::HasSubstr(expected.substr(7))) << line;
      } else {
        EXPECT_EQ(actual, expected) << line;
      }
    }
    return;
  }
  const bool is_query = GetParam().Has("query");
  Planner planner({.every_input_is_bounded = !GetParam().is_unbounded, .settings = {}});
  const Result<JobPlan> plan =
      planner.Plan(GetParam().name, is_query ? GetParam().Text("query") : JobText());
  if (!plan.ok()) return ExpectError(plan.status());
  if (is_query) return RunSelect(*plan);
  if (const InterleavedJob::Records inputs = InputsByTopic(); !inputs.empty()) {
    return RunInterleaved(*plan, inputs);
  }
  if (!RunsAsTasks(*plan, false)) return RunBatch(*plan);
  RunStreaming(*plan, nullptr);
  SCOPED_TRACE("state on disk");
  RunStreaming(*plan, scratch_->get());
}

std::string NameOf(const testing::TestParamInfo<GoldenCase>& parameter) {
  std::string name = parameter.param.file + "_" + parameter.param.name;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Sql,
                         GoldenTest,
                         testing::ValuesIn(ReadGoldenCases(SourceDir() + "/tests/sql")),
                         NameOf);

}  // namespace
}  // namespace slipstream::sql
