// The harness itself: a process is started, seen, signalled and never left behind.

#include "tests/support/process.h"

#include <signal.h>

#include <iostream>

#include <gtest/gtest.h>

#include "tests/support/assert_ok.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace slipstream::test_support {
namespace {

ProcessOptions Shell(const TempDir& dir, std::string script) {
  return {.program = "/bin/sh", .args = {"-c", std::move(script)}, .dir = dir.path()};
}

TEST(ProcessTest, ToolReturnsCodeAndBothStreams) {
  ASSERT_OK_AND_ASSIGN(
      const ToolResult result,
      RunTool({.program = "/bin/sh", .args = {"-c", "echo out; echo err >&2; exit 7"}}));

  EXPECT_EQ(result.exit.code, 7);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST(ProcessTest, MissingProgramIsAnError) {
  const TempDir dir;

  const auto process = Process::Start({.program = "/nonexistent/program", .dir = dir.path()});

  EXPECT_FALSE(process.ok());
}

TEST(ProcessTest, OutputOfAnEarlierStartIsNotThisOnes) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto first, Process::Start(Shell(dir, "echo first")));
  ASSERT_OK(first->Wait());

  ASSERT_OK_AND_ASSIGN(auto second, Process::Start(Shell(dir, "echo second")));
  ASSERT_OK(second->Wait());

  EXPECT_EQ(second->Stdout(), "second\n");
  EXPECT_EQ(ReadFile(second->stdout_path()), "first\nsecond\n");
}

TEST(ProcessTest, KillEndsAStoppedProcess) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto process, Process::Start(Shell(dir, "echo up; exec sleep 1000")));
  ASSERT_OK(process->WaitForOutput("up"));
  process->Signal(SIGSTOP);

  process->Kill();

  ASSERT_TRUE(process->Exit().has_value());
  EXPECT_EQ(process->Exit()->signal, SIGKILL);
}

TEST(ProcessTest, DestructionKills) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto process, Process::Start(Shell(dir, "exec sleep 1000")));
  const pid_t pid = process->pid();

  process.reset();

  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(ProcessTest, WaitingForOneThatEndedSaysSo) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto process, Process::Start(Shell(dir, "echo no such disk >&2; exit 1")));

  const Status status = process->WaitForOutput("ready");

  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_NE(status.message().find("no such disk"), std::string::npos);
}

TEST(ProcessTest, EnvironmentIsThatOfTheOptions) {
  ::setenv("SLIPSTREAM_MASTER", "somewhere:1", 1);

  ASSERT_OK_AND_ASSIGN(
      const ToolResult result,
      RunTool({.program = "/bin/sh",
               .args = {"-c", "echo \"${SLIPSTREAM_MASTER-none} $SLIPSTREAM_FAILPOINTS\""},
               .environment = {{"SLIPSTREAM_FAILPOINTS", "x=kill"}}}));

  EXPECT_EQ(result.out, "none x=kill\n");
}

// Run by the test below, in a process of its own.
TEST(ProcessTest, DISABLED_LeaveAChildAndDie) {
  // In the other's folder: nobody would remove one of its own.
  ASSERT_OK_AND_ASSIGN(
      auto process,
      Process::Start(
          {.program = "/bin/sleep", .args = {"1000"}, .dir = std::filesystem::current_path()}));
  std::cout << "child=" << process->pid() << std::endl;
  ::raise(SIGKILL);
}

TEST(ProcessTest, ATestKilledInTheMiddleLeavesNoProcessBehind) {
  ASSERT_OK_AND_ASSIGN(
      const ToolResult result,
      RunTool({.program = "/proc/self/exe",
               .args = {"--gtest_also_run_disabled_tests",
                        "--gtest_filter=ProcessTest.DISABLED_LeaveAChildAndDie"}}));
  ASSERT_EQ(result.exit.signal, SIGKILL);
  const size_t at = result.out.find("child=");
  ASSERT_NE(at, std::string::npos) << result.out;
  const pid_t child = std::stoi(result.out.substr(at + 6));

  EXPECT_TRUE(Eventually([&] { return ::kill(child, 0) != 0; }));
}

}  // namespace
}  // namespace slipstream::test_support
