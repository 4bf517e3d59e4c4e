// The shell: every verb and flag against a master and three datanodes. What it prints is compared
// to the character with transcripts (shell/*.txt); what needs processes to die or wait stands here.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits.h>

#include "tests/cluster/dfs_fixture.h"
#include "tests/cluster/shell_transcript.h"
#include "tests/support/test_environment.h"

namespace slipstream::dfs {
namespace {

namespace fs = std::filesystem;
using test_support::DfsCluster;
using test_support::Eventually;
using test_support::Process;
using test_support::ReadFile;
using test_support::ShellTranscript;
using test_support::TempDir;
using test_support::WriteFile;
using ::testing::HasSubstr;

std::map<std::string, std::string> ShellEnvironment(const DfsCluster& cluster) {
  const char* path = std::getenv("PATH");
  return {
      {"DFS_MASTER", cluster.master_address()},
      {"HADOOP_USER_NAME", "hdfs"},
      {"LC_ALL", "C.UTF-8"},
      {"TZ", "UTC"},
      {"SOURCE", test_support::SourceDir().string()},
      {"PATH",
       fmt::format(
           "{}:{}", test_support::BinDir().string(), path == nullptr ? "/usr/bin:/bin" : path)}};
}

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  EXPECT_EQ(gethostname(name.data(), name.size() - 1), 0);
  return name.data();
}

// Replays shell/<name>.txt and compares; with SLIPSTREAM_UPDATE_GOLDEN writes it anew.
void CheckTranscript(const DfsCluster& cluster, const std::string& name) {
  const fs::path file = test_support::SourceDir() / "tests/cluster/shell" / (name + ".txt");
  const TempDir scratch("shell");
  ShellTranscript::Options options{.directory = scratch.path(),
                                   .environment = ShellEnvironment(cluster)};
  options.names.emplace_back(cluster.master_address(), "MASTER");
  for (int i = 0; i < cluster.datanode_count(); ++i)
    options.names.emplace_back(cluster.datanode_address(i), "DATANODE");
  options.names.emplace_back(scratch.path().string(), "HERE");
  options.names.emplace_back(fmt::format("from {} for path", HostName()), "from HOST for path");
  const std::string expected = ReadFile(file);
  ASSERT_FALSE(expected.empty()) << file;

  ASSERT_OK_AND_ASSIGN(const std::string actual,
                       ShellTranscript(std::move(options)).Replay(expected));

  if (std::getenv("SLIPSTREAM_UPDATE_GOLDEN") != nullptr) {
    ASSERT_OK(WriteFile(file, actual));
    return;
  }
  EXPECT_EQ(actual, expected);
}

// One cluster for all transcripts: each has its own directory there.
class DfsShellTranscriptTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    dir_ = std::make_unique<TempDir>("dfs");
    ASSERT_OK_AND_ASSIGN(cluster_, DfsCluster::Start({.dir = dir_->path()}));
    ASSERT_OK(cluster_->WaitUntilWritable());
  }
  static void TearDownTestSuite() {
    cluster_.reset();
    dir_.reset();
  }

  static std::unique_ptr<TempDir> dir_;
  static std::unique_ptr<DfsCluster> cluster_;
};
std::unique_ptr<TempDir> DfsShellTranscriptTest::dir_;
std::unique_ptr<DfsCluster> DfsShellTranscriptTest::cluster_;

TEST_P(DfsShellTranscriptTest, PrintsWhatPeopleKnow) {
  CheckTranscript(*cluster_, GetParam());
}

// Typed into a real zsh.
using DfsShellCompletionTest = DfsShellTranscriptTest;

TEST_P(DfsShellCompletionTest, CompletesWhatIsTyped) {
  if (!fs::exists("/usr/bin/zsh") && !fs::exists("/bin/zsh")) {
    GTEST_SKIP() << "zsh is not installed: see deploy/packages.txt";
  }
  CheckTranscript(*cluster_, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Zsh, DfsShellCompletionTest, ::testing::Values("completion_zsh"));

INSTANTIATE_TEST_SUITE_P(
    Verbs,
    DfsShellTranscriptTest,
    ::testing::Values(
        "admin", "attributes", "copy", "help", "list", "names", "permissions", "read"),
    [](const auto& test) { return test.param; });

// What needs a cluster of its own, or processes that are interrupted.
class DfsShellTest : public DfsTest {
 protected:
  std::unique_ptr<Process> StartDfs(const std::vector<std::string>& args,
                                    const fs::path& stdin_file = {}) {
    auto process = Process::Start({.program = "dfs",
                                   .args = args,
                                   .environment = ShellEnvironment(cluster()),
                                   .dir = dir_ / "shell",
                                   .stdin_file = stdin_file});
    EXPECT_OK(process);
    return process.ok() ? std::move(*process) : nullptr;
  }

  // A FIFO that gives what is written to it, and never ends; its descriptor.
  int MakeEndlessInput(const fs::path& path) {
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_GE(fd, 0);
    return fd;
  }

  static void WriteAll(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(fd, bytes.data(), bytes.size());
      ASSERT_GT(written, 0);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }

  int Interrupt(Process& process) {
    process.Signal(SIGINT);
    auto exit = process.Wait();
    EXPECT_OK(exit);
    return exit.ok() ? exit->code : -1;
  }
};

TEST_F(DfsShellTest, TailFollowsWhatIsAppended) {
  StartCluster();
  ASSERT_OK(cluster().DfsWithInput({"put", "-", "/log"}, "first\n"));

  const auto tail = StartDfs({"tail", "-f", "-s", "20", "/log"});
  ASSERT_OK(tail->WaitForOutput("first\n"));
  ASSERT_OK(cluster().DfsWithInput({"appendToFile", "-", "/log"}, "second\n"));
  ASSERT_OK(tail->WaitForOutput("second\n"));

  EXPECT_EQ(Interrupt(*tail), 130);
  EXPECT_EQ(tail->Stdout(), "first\nsecond\n");
  EXPECT_EQ(tail->Stderr(), "");
}

TEST_F(DfsShellTest, InterruptedPutLeavesNothing) {
  StartCluster();
  const int input = MakeEndlessInput(dir_ / "input");

  const auto put = StartDfs({"put", "-", "/big"}, dir_ / "input");
  // More than a block, so that something has been sent when the interrupt comes.
  WriteAll(input, RandomBytes(size_t{70} << 20, 1));

  EXPECT_EQ(Interrupt(*put), 130);
  EXPECT_EQ(cluster().MustDfs({"ls", "/"}), "");
  close(input);
}

TEST_F(DfsShellTest, InterruptedGetLeavesNoFile) {
  StartCluster();
  ASSERT_OK(cluster().DfsWithInput({"put", "-", "/file"}, RandomBytes(100'000, 2)));
  const fs::path local = dir_ / "local";
  const fs::path temporary = dir_ / "local._COPYING_";
  for (int i = 0; i < cluster().datanode_count(); ++i)
    cluster().datanode(i)->Signal(SIGSTOP);

  const auto get = StartDfs({"get", "/file", local});
  ASSERT_TRUE(Eventually([&] { return fs::exists(temporary); }));

  EXPECT_EQ(Interrupt(*get), 130);
  EXPECT_FALSE(fs::exists(temporary));
  EXPECT_FALSE(fs::exists(local));
  for (int i = 0; i < cluster().datanode_count(); ++i)
    cluster().datanode(i)->Signal(SIGCONT);
}

TEST_F(DfsShellTest, FsckTellsOfOpenFiles) {
  StartCluster();
  ASSERT_OK(cluster().DfsWithInput({"put", "-", "/log"}, "first\n"));
  const int input = MakeEndlessInput(dir_ / "input");

  const auto append = StartDfs({"appendToFile", "-", "/log"}, dir_ / "input");
  const auto is_open = [&] {
    auto out = cluster().MustDfs({"fsck", "/", "-openforwrite", "-files"});
    return out.ok() &&
           out->find("/log 6 bytes, replicated: replication=2, 1 block(s), OPENFORWRITE:  OK\n") !=
               std::string::npos;
  };
  EXPECT_TRUE(Eventually(is_open)) << cluster().MustDfs({"fsck", "/", "-openforwrite"}).value();
  ASSERT_OK_AND_ASSIGN(const std::string appenders, cluster().MustDfs({"appenders", "client/"}));
  EXPECT_THAT(
      appenders,
      ::testing::ContainsRegex("OWNER +INCARNATION +COMMITTED +PREPARED +AGE +OPEN_FILES\n"));
  EXPECT_THAT(appenders, ::testing::ContainsRegex("client/[0-9a-f]+ +[0-9]+ +[0-9.-]+ +- +- +1\n"));

  EXPECT_EQ(Interrupt(*append), 130);
  close(input);
  EXPECT_EQ(cluster().MustDfs({"cat", "/log"}), "first\n");
}

// The lease is the real one, a minute.
TEST_F(DfsShellTest, AnAppenderThatIsKilledLeavesItsFileWhenItsLeaseIsOver) {
  StartCluster();
  ASSERT_OK(cluster().DfsWithInput({"put", "-", "/log"}, "first\n"));
  const int input = MakeEndlessInput(dir_ / "input");
  const auto append = StartDfs({"appendToFile", "-", "/log"}, dir_ / "input");
  ASSERT_TRUE(Eventually([&] {
    return cluster().MustDfs({"fsck", "/", "-openforwrite"}).value_or("").find("OPENFORWRITE") !=
           std::string::npos;
  }));
  WriteAll(input, "never flushed\n");

  append->Kill();
  close(input);

  // Until then others are told who has it, and readers see what was there.
  ASSERT_OK_AND_ASSIGN(const auto refused,
                       cluster().DfsWithInput({"appendToFile", "-", "/log"}, "too soon\n"));
  EXPECT_EQ(refused.exit.code, 1);
  EXPECT_THAT(refused.err, ::testing::ContainsRegex("is being written by client/[0-9a-f]+"));
  EXPECT_EQ(cluster().MustDfs({"cat", "/log"}), "first\n");
  EXPECT_TRUE(Eventually(
      [&]() -> Status {
        ASSIGN_OR_RETURN(const auto second,
                         cluster().DfsWithInput({"appendToFile", "-", "/log"}, "second\n"));
        return second.exit.code == 0 ? Status() : Unavailable(second.err);
      },
      std::chrono::seconds(120),
      std::chrono::milliseconds(500)));
  EXPECT_EQ(cluster().MustDfs({"cat", "/log"}), "first\nsecond\n");
}

TEST_F(DfsShellTest, RemovedFilesGoThroughTheTrash) {
  StartCluster({.datanodes = 2, .master_flags = {"--trash-interval=60"}});
  ASSERT_OK(cluster().WaitUntilWritable());

  CheckTranscript(cluster(), "trash");
}

// Nodes die and come back; fsck and report say so, and move or delete what cannot be read.
TEST_F(DfsShellTest, FsckNamesWhatIsLostAndWhoHadIt) {
  StartCluster();
  ASSERT_OK(cluster().MustDfs({"mkdir", "/data"}));
  ASSERT_OK(cluster().DfsWithInput({"put", "--replication", "3", "-", "/data/file"}, "content\n"));
  ASSERT_OK(cluster().DfsWithInput({"put", "--replication", "3", "-", "/data/other"}, "other\n"));
  const auto count_dead = [&](const std::string& count) {
    return Eventually([&] {
      auto out = cluster().MustDfs({"report", "-dead"});
      return out.ok() && out->find(fmt::format("Dead datanodes ({}):", count)) != std::string::npos;
    });
  };

  ASSERT_TRUE(Eventually([&] { return CheckFullyReplicated().ok(); }));
  cluster().KillDatanode(0);
  ASSERT_TRUE(count_dead("1"));
  CheckTranscript(cluster(), "fsck_under_replicated");

  cluster().KillDatanode(1);
  cluster().KillDatanode(2);
  ASSERT_TRUE(count_dead("3"));
  CheckTranscript(cluster(), "fsck_missing");

  for (int i = 0; i < cluster().datanode_count(); ++i)
    ASSERT_OK(cluster().StartDatanode(i));
  ASSERT_TRUE(Eventually([&] { return CheckFullyReplicated().ok(); }));
  CheckTranscript(cluster(), "fsck_returned");
}

TEST_F(DfsShellTest, DecommissionEndsWhenAllIsCopied) {
  StartCluster();
  ASSERT_OK(cluster().DfsWithInput({"put", "-", "/file"}, RandomBytes(100'000, 3)));
  ASSERT_OK_AND_ASSIGN(const int first, FirstReplicaOf("/file"));
  const std::string address = cluster().datanode_address(first);

  ASSERT_OK(cluster().MustDfs({"decommission", address, "start"}));

  const std::string done = address + ": Decommissioned\n";
  EXPECT_TRUE(Eventually([&] { return cluster().MustDfs({"decommission", address}) == done; }));
  ASSERT_OK_AND_ASSIGN(const std::string report, cluster().MustDfs({"report", "-live"}));
  EXPECT_THAT(report, HasSubstr("Decommission Status : Decommissioned\n"));
  cluster().KillDatanode(first);
  EXPECT_OK(cluster().MustDfs({"cat", "/file"}));
}

}  // namespace
}  // namespace slipstream::dfs
