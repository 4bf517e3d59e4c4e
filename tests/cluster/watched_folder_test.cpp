// Folders that a job watches ('source.monitor-interval'), in the real file system and on a local
// disk: every line of every file comes once into a topic and into files, whatever dies where, and
// whoever goes on.

#include <algorithm>
#include <csignal>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/dfs_cluster.h"
#include "tests/support/eventually.h"
#include "tests/support/job_commands.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/kafka_client.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

using ::testing::HasSubstr;

constexpr int kLinesOfAFile = 30'000;  // more than a task reads at once

class WatchedFolderTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    name_ = "watch-" + std::to_string(++counter_);
    ASSERT_OK_AND_ASSIGN(dfs_, DfsCluster::Start({.dir = dir_ / "dfs", .datanodes = 2}));
    ASSERT_OK(dfs_->WaitUntilWritable());
    ASSERT_OK(client_.CreateTopic(name_, 2));
  }

  // From the folder into a topic and into files.
  Status WriteJob(const std::string& folder, const std::string& options = "") const {
    return WriteFile(
        dir_ / "job.sql",
        fmt::format("SET 'pipeline.name' = '{0}';\n"
                    "CREATE TABLE s (id INT, pad STRING, k STRING) PARTITIONED BY (k) WITH (\n"
                    "  'connector' = 'filesystem', 'path' = '{1}', 'format' = 'json',\n"
                    "  'source.monitor-interval' = '100 ms'{2});\n"
                    "CREATE TABLE t (id INT, k STRING) WITH ('connector' = 'kafka',\n"
                    "  'topic' = '{0}', 'format' = 'csv');\n"
                    "CREATE TABLE f (id INT) WITH ('connector' = 'filesystem',\n"
                    "  'path' = 'dfs:///{0}-out', 'format' = 'csv');\n"
                    "EXECUTE STATEMENT SET BEGIN\n"
                    "INSERT INTO t SELECT id, k FROM s;\n"
                    "INSERT INTO f SELECT id FROM s;\n"
                    "END;\n",
                    name_,
                    folder,
                    options));
  }
  Result<std::unique_ptr<Process>> Start(const std::string& failpoints = "",
                                         bool is_fresh = false) {
    const ProcessorRun run{
        .job = dir_ / "job.sql",
        .brokers = KafkaBroker::Shared().bootstrap(),
        .master = dfs_->master_address(),
        .is_fresh = is_fresh,
        .failpoints = failpoints,
        .more_flags = {"--state-dir=" + (dir_ / fmt::format("state-{}", states_)).string(),
                       "--commit-interval=50ms"}};
    return Process::Start(Command(run, dir_.path(), fmt::format("{}-{}", name_, starts_++)));
  }

  // Lines of the next file; their ids follow those of the files before.
  std::string NextText() {
    std::string text;
    for (int i = 0; i < kLinesOfAFile; ++i)
      text += fmt::format("{{\"id\":{},\"pad\":\"{:.<50}\"}}\n", lines_++, "");
    return text;
  }
  Status PutDfs(const std::string& path) {
    ASSIGN_OR_RETURN(const ToolResult put, dfs_->DfsWithInput({"-put", "-", path}, NextText()));
    return put.exit.code == 0 ? Status() : Internal(put.err);
  }
  // As anybody should: under a name that is not looked at, until it is whole.
  Status PutLocal(const std::string& name) {
    const std::filesystem::path folder = dir_ / "in" / "k=a";
    std::filesystem::create_directories(folder);
    RETURN_IF_ERROR(WriteFile(folder / ("." + name), NextText()));
    std::filesystem::rename(folder / ("." + name), folder / name);
    return {};
  }

  // How often each id has come, in the topic and in the files.
  void ExpectAllOnce() const {
    ASSERT_TRUE(Eventually([&] { return client_.Count(name_).value_or(0) >= lines_; }));
    ASSERT_OK_AND_ASSIGN(const std::vector<KafkaRecord> records, client_.ReadAll(name_));
    std::set<int> ids;
    for (const KafkaRecord& record : records)
      ids.insert(std::stoi(record.value.value_or("-1")));
    EXPECT_EQ(records.size(), static_cast<size_t>(lines_));
    EXPECT_EQ(ids.size(), static_cast<size_t>(lines_));
    EXPECT_TRUE(Eventually([&] { return FileLines() == static_cast<size_t>(lines_); }))
        << FileLines();
  }
  size_t FileLines() const {
    const Result<ToolResult> all = dfs_->Dfs({"-cat", "/" + name_ + "-out/part-*"});
    if (!all.ok() || all->exit.code != 0) return 0;
    return static_cast<size_t>(std::count(all->out.begin(), all->out.end(), '\n'));
  }

  const TempDir dir_{"watched-folder"};
  std::unique_ptr<DfsCluster> dfs_;
  const KafkaClient client_{KafkaBroker::Shared().bootstrap()};
  std::string name_;
  int lines_ = 0;
  int states_ = 0;  // where processes keep their names
  int starts_ = 0;
  static inline int counter_ = 0;
};

TEST_P(WatchedFolderTest, EveryLineComesOnceOverAKill) {
  ASSERT_OK(WriteJob("dfs:///in"));
  ASSERT_OK(dfs_->MustDfs({"-mkdir", "-p", "/in/k=a"}));
  ASSERT_OK(PutDfs("/in/k=a/0"));
  ASSERT_OK_AND_ASSIGN(const auto killed, Start(fmt::format("{}=kill@4", GetParam())));
  for (int file = 1; killed->IsRunning(); ++file) {
    ASSERT_LT(file, 50) << "it has not died";
    ASSERT_OK(PutDfs(fmt::format("/in/k=a/{}", file)));
  }
  ASSERT_OK_AND_ASSIGN(const ExitStatus killed_exit, killed->Wait());
  ASSERT_EQ(killed_exit.signal, SIGKILL) << killed->Stderr();
  EXPECT_LT(client_.Count(name_).value_or(0), lines_);

  ASSERT_OK_AND_ASSIGN(const auto running, Start());
  ASSERT_OK(PutDfs("/in/k=a/last"));
  ExpectAllOnce();
  ASSERT_OK_AND_ASSIGN(const ExitStatus stopped, running->Terminate());
  EXPECT_EQ(stopped.code, 0) << running->Stderr();
}

INSTANTIATE_TEST_SUITE_P(Steps,
                         WatchedFolderTest,
                         ::testing::Values("task.mid_batch",
                                           "commit.after_prepare",
                                           "commit.after_offsets",
                                           "commit.after_kafka_commit"),
                         [](const auto& step) {
                           std::string name = step.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

class WatchedFoldersTest : public WatchedFolderTest {};

// Tasks that share a local folder go from a process that dies to another, files that were read are
// gone by then, and a folder with another number of tasks is refused.
TEST_F(WatchedFoldersTest, AnotherProcessGoesOn) {
  const std::filesystem::path in = dir_ / "in";
  ASSERT_OK(WriteJob(in.string(), ", 'scan.parallelism' = '3'"));
  ASSERT_OK_AND_ASSIGN(const auto first, Start());
  ++states_;
  ASSERT_OK_AND_ASSIGN(const auto second, Start());
  for (int file = 0; file < 6; ++file)
    ASSERT_OK(PutLocal(std::to_string(file)));
  ASSERT_TRUE(Eventually([&] { return client_.Count(name_).value_or(0) == lines_; }));
  for (int file = 0; file < 3; ++file)
    std::filesystem::remove(in / "k=a" / std::to_string(file));
  ASSERT_OK(PutLocal("more"));
  first->Kill();
  for (int file = 10; file < 16; ++file)
    ASSERT_OK(PutLocal(std::to_string(file)));
  ExpectAllOnce();
  ASSERT_OK_AND_ASSIGN(const ExitStatus stopped, second->Terminate());
  EXPECT_EQ(stopped.code, 0) << second->Stderr();

  ASSERT_OK(WriteJob(in.string()));
  ASSERT_OK_AND_ASSIGN(const auto refused, Start());
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, refused->Wait());
  EXPECT_EQ(exit.code, 1);
  EXPECT_THAT(refused->Stderr(),
              HasSubstr("shared its files among 3 tasks, and is to go on with 1"));

  // As it advises: everything that is still there comes again.
  ASSERT_OK_AND_ASSIGN(const auto fresh, Start("", true));
  const int again = lines_ - 3 * kLinesOfAFile;
  EXPECT_TRUE(Eventually([&] { return client_.Count(name_).value_or(0) >= lines_ + again; }))
      << fresh->Stderr();
  EXPECT_EQ(client_.Count(name_).value_or(0), lines_ + again);
  ASSERT_OK_AND_ASSIGN(const ExitStatus ended, fresh->Terminate());
  EXPECT_EQ(ended.code, 0) << fresh->Stderr();
}

// One job's output is another's input: what is still being written is not read, and a master that
// is away is waited for.
TEST_F(WatchedFoldersTest, AFileThatAnotherJobWritesIsReadWhenItIsClosed) {
  const std::string from = name_ + "-from";
  ASSERT_OK(client_.CreateTopic(from, 1));
  std::vector<KafkaRecord> records;
  for (int id = 0; id < 100; ++id)
    records.push_back({.value = fmt::format(R"({{"id":{}}})", id)});
  ASSERT_OK(client_.Produce(from, records));
  ASSERT_OK(WriteFile(
      dir_ / "writer.sql",
      fmt::format("SET 'pipeline.name' = '{0}';\n"
                  "CREATE TABLE s (id INT) WITH ('connector' = 'kafka', 'topic' = '{0}',\n"
                  "  'scan.startup.mode' = 'earliest-offset', 'format' = 'json');\n"
                  "CREATE TABLE t (id INT, k STRING) PARTITIONED BY (k) WITH (\n"
                  "  'connector' = 'filesystem', 'path' = 'dfs:///in', 'format' = 'json');\n"
                  "INSERT INTO t SELECT id, 'written' FROM s;\n",
                  from)));
  const auto write = [&](bool is_bounded) {
    return Process::Start(
        Command(ProcessorRun{.job = dir_ / "writer.sql",
                             .brokers = KafkaBroker::Shared().bootstrap(),
                             .master = dfs_->master_address(),
                             .is_bounded = is_bounded,
                             .more_flags = {"--state-dir=" + (dir_ / "writer").string()}},
                dir_.path(),
                fmt::format("{}-{}", from, is_bounded)));
  };
  ASSERT_OK_AND_ASSIGN(const auto writer, write(false));
  ASSERT_TRUE(Eventually([&] {
    const Result<ToolResult> all = dfs_->Dfs({"-cat", "/in/k=written/part-*"});
    return all.ok() && std::count(all->out.begin(), all->out.end(), '\n') == 100;
  }));
  ASSERT_OK(WriteJob("dfs:///in"));
  lines_ = 1'000;  // other ids than the writer's
  ASSERT_OK(dfs_->MustDfs({"-mkdir", "/in/k=put"}));
  ASSERT_OK(PutDfs("/in/k=put/0"));
  ASSERT_OK_AND_ASSIGN(const auto running, Start());
  ASSERT_TRUE(Eventually([&] { return client_.Count(name_).value_or(0) >= kLinesOfAFile; }));
  EXPECT_EQ(client_.Count(name_).value_or(0), kLinesOfAFile) << "nothing of the open file";

  dfs_->KillMaster();
  ASSERT_TRUE(Eventually([&] {
    return running->Stderr().find("waiting worker=") != std::string::npos;
  })) << running->Stderr();
  ASSERT_OK(dfs_->StartMaster());
  ASSERT_OK_AND_ASSIGN(const ExitStatus stopped, writer->Terminate());
  ASSERT_EQ(stopped.code, 0) << writer->Stderr();
  ASSERT_OK_AND_ASSIGN(const auto ending, write(true));
  ASSERT_OK_AND_ASSIGN(const ExitStatus ended, ending->Wait());
  ASSERT_EQ(ended.code, 0) << ending->Stderr();

  EXPECT_TRUE(Eventually([&] { return client_.Count(name_).value_or(0) >= kLinesOfAFile + 100; }));
  EXPECT_EQ(client_.Count(name_).value_or(0), kLinesOfAFile + 100);
  ASSERT_OK_AND_ASSIGN(const ExitStatus exit, running->Terminate());
  EXPECT_EQ(exit.code, 0) << running->Stderr();
}

}  // namespace
}  // namespace slipstream::test_support
