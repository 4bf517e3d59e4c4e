// Tables with 'source.monitor-interval': which files are read, in which order, and that every line
// comes once whatever is lost between two commits.

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/clock/manual_clock.h"
#include "processor/engine/job_compiler.h"
#include "processor/engine/seen_files.h"
#include "processor/planner/planner.h"
#include "tests/sql/collected_output.h"
#include "tests/sql/memory_file_source.h"
#include "tests/sql/saved_state.h"

namespace slipstream::sql {
namespace {

using Lines = std::vector<std::string>;
using Pulled = runtime::TaskProgram::Pulled;

constexpr char kFolder[] = "/in/";

// Remembers whose the last dead letter was.
class Output final : public CollectedOutput {
 public:
  void ToDeadLetters(const runtime::InputRecord& record, std::string_view error) override {
    CollectedOutput::ToDeadLetters(record, error);
    dead_key = record.key.value_or("");
  }

  std::string dead_key;
};

class WatchedFolderTest : public testing::Test {
 protected:
  Status TryCompile(const std::string& columns,
                    const std::string& options,
                    const std::string& query,
                    bool is_bounded = false) {
    const std::string text =
        "CREATE TABLE t (" + columns +
        " WITH ('connector' = 'filesystem', 'path' = '/in/', 'source.monitor-interval' = '1 s', " +
        options +
        ");"
        "CREATE TABLE result (a STRING, b BIGINT) WITH ('connector' = 'print');"
        "INSERT INTO result " +
        query;
    ASSIGN_OR_RETURN(const JobPlan plan,
                     Planner({.every_input_is_bounded = is_bounded}).Plan("job", text));
    EXPECT_EQ(RunsAsTasks(plan, is_bounded), !is_bounded);
    ASSIGN_OR_RETURN(program_, CompileJob(plan, {.files = &files_, .clock = clock_}));
    Restart();
    return {};
  }
  void Compile(const std::string& columns, const std::string& options, const std::string& query) {
    const Status status = TryCompile(columns, options, query);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  void CompileLines(const std::string& options = "'format' = 'raw'") {
    Compile("a STRING)", options, "SELECT a, CHAR_LENGTH(a) FROM t");
  }

  // A new task with what was committed.
  void Restart(int32_t partition = 0) {
    const std::string topic = program_->sources().front().topics.front();
    task_ = program_->MakeSourceTask(0, topic, partition);
    for (const auto& [key, value] : saved_.entries)
      EXPECT_EQ(task_->Restore(key, value), Status());
    output_.lines.clear();
  }
  void Commit() {
    EXPECT_EQ(task_->SaveChanges(saved_), Status());
    for (const std::string& line : std::exchange(output_.lines["print"], {}))
      committed_.push_back(line);
  }
  Result<Pulled> Pull() { return task_->Pull(output_); }
  // Until nothing more is there.
  void PullAll() {
    for (bool is_over = false; !is_over;) {
      const Result<Pulled> pulled = Pull();
      ASSERT_TRUE(pulled.ok()) << pulled.status().message();
      is_over = pulled->is_caught_up;
    }
  }
  // What comes now.
  Lines Next() {
    PullAll();
    return std::exchange(output_.lines["print"], {});
  }
  void Wait(std::chrono::seconds time) { clock_.Advance(time); }
  size_t SavedKeys() {
    Commit();
    return saved_.entries.size();
  }

  ManualClock clock_;
  MemoryFileSource files_{1 << 20};
  Output output_;
  SavedState<runtime::StateWriter> saved_;
  std::unique_ptr<runtime::JobProgram> program_;
  std::unique_ptr<runtime::TaskProgram> task_;
  Lines committed_;
};

TEST_F(WatchedFolderTest, EveryFileIsReadOnceTheOldestFirst) {
  files_.Put("/in/b", "1\n22\n");
  files_.Put("/in/a", "333");
  files_.Put("/in/_marker", "no\n");
  files_.Put("/in/x/.part", "no\n");
  CompileLines();
  EXPECT_EQ(Next(), (Lines{"+I[1, 1]", "+I[22, 2]", "+I[333, 3]"}));

  files_.Put("/in/c", "4\n");
  EXPECT_EQ(Next(), Lines{}) << "not looked for yet";
  Wait(std::chrono::seconds(1));
  EXPECT_EQ(Next(), Lines{"+I[4, 1]"});
  files_.Put("/in/c", "5\n");  // the same file, whatever it holds
  Wait(std::chrono::seconds(1));
  EXPECT_EQ(Next(), Lines{});
}

TEST_F(WatchedFolderTest, AFileThatIsBeingWrittenWaits) {
  files_.Put("/in/a", "1\n");
  files_.SetOpen("/in/a", true);
  CompileLines();
  EXPECT_EQ(Next(), Lines{});

  files_.Put("/in/a", "1\n2\n");
  files_.SetOpen("/in/a", false);
  Wait(std::chrono::seconds(1));

  EXPECT_EQ(Next(), (Lines{"+I[1, 1]", "+I[2, 1]"}));
}

TEST_F(WatchedFolderTest, FoldersAreColumnsAndUnwantedOnesAreNotRead) {
  files_.Put("/in/k=1/a", R"({"a":"x"})");
  files_.Put("/in/k=2/a", "damaged, and never looked at");
  Compile("a STRING, k INT) PARTITIONED BY (k)",
          "'format' = 'json'",
          "SELECT a, CAST(k AS BIGINT) FROM t WHERE k = 1");
  EXPECT_EQ(Next(), Lines{"+I[x, 1]"});

  files_.Put("/in/b", "in no folder");
  Wait(std::chrono::seconds(1));
  EXPECT_EQ(Pull().status().message(), "table t: file /in/b lies in no folder k=…");
}

TEST_F(WatchedFolderTest, WhatIsKnownOfAFileIsAColumn) {
  files_.Put("/in/k/a", "1\n22\n");
  Compile("a STRING, n STRING METADATA FROM 'file.name', s BIGINT METADATA FROM 'file.size')",
          "'format' = 'raw'",
          "SELECT n || a, s FROM t");

  EXPECT_EQ(Next(), (Lines{"+I[a1, 5]", "+I[a22, 5]"}));
}

TEST_F(WatchedFolderTest, APatternSaysWhichFiles) {
  files_.Put("/in/a.csv", "1\n");
  files_.Put("/in/a.txt", "2\n");
  CompileLines("'format' = 'raw', 'source.path.regex-pattern' = '/in/.*\\.csv'");

  EXPECT_EQ(Next(), Lines{"+I[1, 1]"});
}

TEST_F(WatchedFolderTest, BadLinesGoToTheDeadLettersWithTheirFile) {
  files_.Put("/in/a", "{\"a\":\"x\"}\nno\n{\"a\":\"y\"}\n");
  Compile("a STRING)", "'format' = 'json'", "SELECT a, 1 FROM t");

  EXPECT_EQ(Next(), (Lines{"+I[x, 1]", "+I[y, 1]"}));
  ASSERT_EQ(output_.lines["dead"].size(), 1U);
  EXPECT_TRUE(output_.lines["dead"][0].starts_with("1 no because ")) << output_.lines["dead"][0];
  EXPECT_EQ(output_.dead_key, "/in/a");
}

TEST_F(WatchedFolderTest, TimeGoesOnWithTheRows) {
  files_.Put("/in/a",
             "{\"a\":\"x\",\"ts\":\"2020-01-01 00:00:10\"}\n"
             "{\"a\":\"x\",\"ts\":\"2020-01-01 00:01:10\"}\n");
  Compile("a STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)",
          "'format' = 'json'",
          "SELECT a, COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY "
          "a, window_start, window_end");
  EXPECT_EQ(Next(), Lines{"+I[x, 1]"});
}

TEST_F(WatchedFolderTest, TasksShareTheFiles) {
  for (int i = 0; i < 50; ++i)
    files_.Put(kFolder + std::to_string(i), std::to_string(i) + "\n");
  CompileLines("'format' = 'raw', 'scan.parallelism' = '3'");
  EXPECT_EQ(program_->sources().front().pull_tasks, 3);

  Lines all;
  for (int32_t task = 0; task < 3; ++task) {
    Restart(task);
    const Lines own = Next();
    EXPECT_GT(own.size(), 5U);
    all.insert(all.end(), own.begin(), own.end());
  }

  EXPECT_EQ(all.size(), 50U);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

// Files come while tasks read, commit and die at any place.
TEST_F(WatchedFolderTest, WhateverIsLostBetweenCommitsComesAgain) {
  for (uint32_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    files_.Clear();
    saved_.entries.clear();
    committed_.clear();
    CompileLines();
    Lines expected;
    int file = 0;
    const auto add_file = [&] {
      std::string text;
      // Some larger than what is given at once.
      const int lines = random() % 4 == 0 ? 16'000 : static_cast<int>(random() % 3);
      for (int i = 0; i < lines; ++i) {
        const std::string line =
            std::to_string(file) + " line " + std::to_string(i) + std::string(60, '.');
        text += line + "\n";
        expected.push_back("+I[" + line + ", " + std::to_string(line.size()) + "]");
      }
      files_.Put(kFolder + std::to_string(file++), text);
    };
    files_.Put("/in/_there", "");
    files_.Put("/in/first", "");
    for (int step = 0; step < 40; ++step) {
      switch (random() % 5) {
        case 0:
          if (file < 8) add_file();
          break;
        case 1:
          Commit();
          break;
        case 2:
          Restart();
          break;
        default: {
          const Result<Pulled> pulled = Pull();
          ASSERT_TRUE(pulled.ok()) << pulled.status().message();
          Wait(std::chrono::seconds(1));
        }
      }
    }
    Wait(std::chrono::seconds(1));
    PullAll();
    Commit();
    std::sort(committed_.begin(), committed_.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_TRUE(committed_ == expected) << committed_.size() << " lines of " << expected.size();
  }
}

TEST_F(WatchedFolderTest, WhatIsAwayIsWaitedFor) {
  CompileLines();
  EXPECT_EQ(Pull().status().code(), Code::kUnavailable) << "no folder yet";
  files_.Put("/in/a", "1\n");
  Wait(std::chrono::seconds(1));
  EXPECT_EQ(Next(), Lines{"+I[1, 1]"});

  files_.Put("/in/b", "2\n");
  files_.SetAway(true);
  Wait(std::chrono::seconds(1));
  const Result<Pulled> pulled = Pull();
  EXPECT_EQ(pulled.status().code(), Code::kUnavailable);
  EXPECT_EQ(pulled.status().message(), "table t: the store is away");
  files_.SetAway(false);
  Wait(std::chrono::seconds(1));
  EXPECT_EQ(Next(), Lines{"+I[2, 1]"});
}

TEST_F(WatchedFolderTest, AFileThatGoesHalfWayStopsTheJobUnlessItMay) {
  std::string text;
  for (int i = 0; i < 4'000; ++i)
    text += std::string(1'000, '.') + "\n";
  for (const bool may_lose : {false, true}) {
    SCOPED_TRACE(may_lose);
    saved_.entries.clear();
    files_.Clear();
    files_.Put("/in/a", text);
    CompileLines(std::string("'format' = 'raw'") +
                 (may_lose ? ", 'scan.on-data-loss' = 'continue'" : ""));
    ASSERT_TRUE(Pull().ok());
    Commit();
    Restart();
    files_.Remove("/in/a");
    files_.Put("/in/b", "1\n");

    if (may_lose) {
      EXPECT_EQ(Next(), Lines{"+I[1, 1]"});
      continue;
    }
    const Status status = Pull().status();
    EXPECT_EQ(status.code(), Code::kFailedPrecondition);
    EXPECT_NE(status.message().find("bytes have been read: it is no longer there (put it back"),
              std::string::npos)
        << status.message();
  }
}

TEST_F(WatchedFolderTest, AFileThatWasReadMayGoAndIsForgottenADayLater) {
  files_.Put("/in/a", "1\n");
  files_.Put("/in/b", "2\n");
  CompileLines();
  EXPECT_EQ(Next().size(), 2U);
  const size_t keys = SavedKeys();
  files_.Remove("/in/a");
  Wait(std::chrono::seconds(1));
  EXPECT_EQ(Next(), Lines{});
  Commit();
  Restart();
  files_.Put("/in/a", "1\n");
  EXPECT_EQ(Next(), Lines{}) << "a moment later it is still known";
  files_.Remove("/in/a");
  Wait(std::chrono::seconds(1));
  PullAll();
  Wait(std::chrono::hours(25));
  PullAll();
  EXPECT_EQ(SavedKeys(), keys - 1);

  files_.Put("/in/a", "new\n");
  Wait(std::chrono::seconds(1));
  EXPECT_EQ(Next(), Lines{"+I[new, 3]"});
}

TEST_F(WatchedFolderTest, ReadingToTheEndIsWorthACommit) {
  files_.Put("/in/a", "1\n");
  CompileLines();
  ASSERT_TRUE(Pull().ok());
  Commit();

  const Result<Pulled> end = Pull();  // finds that nothing follows

  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->records, 0U);
  EXPECT_TRUE(end->has_changed);
}

TEST_F(WatchedFolderTest, ExplainSaysSo) {
  const Result<JobPlan> plan =
      Planner({}).Plan("job",
                       "CREATE TABLE t (a STRING) WITH ('connector' = 'filesystem', 'path' = "
                       "'/in', 'format' = 'raw', 'source.monitor-interval' = '10 s');"
                       "EXPLAIN SELECT a, COUNT(*) FROM t GROUP BY a");
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  EXPECT_NE(plan->explanations.front().find("Scan t [a], watched every 10 s"), std::string::npos)
      << plan->explanations.front();
  EXPECT_NE(plan->explanations.front().find("Exchange"), std::string::npos);
}

TEST_F(WatchedFolderTest, BoundedInputIsNotWatched) {
  const Status status = TryCompile("a STRING)", "'format' = 'raw'", "SELECT a, 1 FROM t", true);
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_F(WatchedFolderTest, WrongOptionsAreNamed) {
  const auto message = [this](const std::string& options) {
    return TryCompile("a STRING)", "'format' = 'raw', " + options, "SELECT a, 1 FROM t").message();
  };
  EXPECT_EQ(message("'scan.parallelism' = '0'"),
            "table t: 'scan.parallelism': '0' is not a whole number from 1 to 100");
  EXPECT_NE(message("'source.path.regex-pattern' = '('").find("missing )"), std::string::npos);
  EXPECT_EQ(message("'late-rows.topic' = 'late'"),
            "table t: 'late-rows.topic' is for tables with a WATERMARK");
}

TEST(SeenFilesTest, DamagedStateIsRefused) {
  SeenFiles seen;
  EXPECT_EQ(seen.Restore("\x01\xFF\xFE", "\x01").code(), Code::kDataLoss);
  EXPECT_EQ(seen.Restore("\x01\xFF\xFE", "\x02").code(), Code::kUnimplemented);
  EXPECT_EQ(seen.Restore("\x01\xFF\xFE\x05", std::string("\x01\0\0\0\0\0\0\0\0", 9)).code(),
            Code::kDataLoss);
}

}  // namespace
}  // namespace slipstream::sql
