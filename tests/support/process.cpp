#include "tests/support/process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/spawner.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPollPeriod{5};
constexpr size_t kLastLinesBytesMax = 4096;

std::string ReadFrom(const std::filesystem::path& path, int64_t begin) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(begin);
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

int64_t SizeOf(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<int64_t>(size);
}

std::string Tail(std::string text) {
  if (text.size() <= kLastLinesBytesMax) return text;
  return "…" + text.substr(text.size() - kLastLinesBytesMax);
}

std::vector<std::string> Environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    if (added.contains(name)) continue;
    if (name.starts_with("SLIPSTREAM_") && name != "SLIPSTREAM_STATE") continue;
    environment.emplace_back(text);
  }
  for (const auto& [name, value] : added)
    environment.push_back(name + "=" + value);
  return environment;
}

std::filesystem::path EndpointFile(const ProcessOptions& options) {
  return options.dir / (options.name + ".endpoint");
}

ExitStatus FromWaitStatus(int status) {
  if (WIFSIGNALED(status)) return {.code = 128 + WTERMSIG(status), .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status)};
}

// The value after `key` in "listening rpc=HOST:PORT admin=HOST:PORT"; empty if there is none.
std::string Field(const std::string& line, const std::string& key) {
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    if (word.starts_with(key)) return word.substr(key.size());
  }
  return "";
}

}  // namespace

Result<std::unique_ptr<Process>> Process::Start(ProcessOptions options) {
  if (!options.program.has_parent_path()) options.program = BinDir() / options.program;
  if (options.dir.empty()) return InvalidArgument("a process needs a dir for its output");
  if (options.name.empty()) options.name = options.program.filename();
  options.dir = std::filesystem::absolute(options.dir);
  std::filesystem::create_directories(options.dir);
  if (options.is_daemon) {
    // Of an earlier process of that name: nobody must take it for this one's.
    std::filesystem::remove(EndpointFile(options));
    options.args.push_back("--endpoint-file=" + EndpointFile(options).string());
  }
  const std::filesystem::path base = options.dir / options.name;
  SpawnRequest request{
      .argv = options.launcher,
      .environment = Environment(options.environment),
      .working_directory = options.dir.string(),
      .stdin_path = options.stdin_file.empty() ? "/dev/null" : options.stdin_file.string(),
      .stdout_path = base.string() + ".out",
      .stderr_path = base.string() + ".err",
  };
  request.argv.push_back(options.program.string());
  request.argv.insert(request.argv.end(), options.args.begin(), options.args.end());
  const int64_t stdout_begin = SizeOf(request.stdout_path);
  const int64_t stderr_begin = SizeOf(request.stderr_path);
  ASSIGN_OR_RETURN(const pid_t pid, Spawn(request));
  return std::unique_ptr<Process>(new Process(std::move(options), pid, stdout_begin, stderr_begin));
}

Process::Process(ProcessOptions options, pid_t pid, int64_t stdout_begin, int64_t stderr_begin)
    : options_(std::move(options)),
      pid_(pid),
      stdout_begin_(stdout_begin),
      stderr_begin_(stderr_begin) {}

Process::~Process() {
  if (::testing::Test::HasFailure()) {
    const std::string state =
        IsRunning() ? "running" : fmt::format("ended with code {}", exit_->code);
    std::cerr << "---- " << options_.name << " (" << state << ")\n" << LastLines() << "----\n";
  }
  Kill();
}

bool Process::IsRunning() {
  return !Exit().has_value();
}

std::optional<ExitStatus> Process::Exit() {
  if (!exit_.has_value()) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) exit_ = FromWaitStatus(status);
  }
  return exit_;
}

void Process::Signal(int signal) {
  // A pid is recycled only after waitpid; if that has happened, exit_ is set.
  if (!exit_.has_value()) ::kill(pid_, signal);
}

void Process::Kill() {
  if (!IsRunning()) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_ = FromWaitStatus(status);
}

Result<ExitStatus> Process::Terminate(milliseconds deadline) {
  Signal(SIGTERM);
  return Wait(deadline);
}

Result<ExitStatus> Process::Wait(milliseconds deadline) {
  const auto give_up_at = steady_clock::now() + deadline;
  while (IsRunning()) {
    if (steady_clock::now() >= give_up_at) {
      return DeadlineExceeded(
          fmt::format("{} still runs after {} ms:\n{}", name(), deadline.count(), LastLines()));
    }
    std::this_thread::sleep_for(kPollPeriod);
  }
  return *exit_;
}

Result<ProcessEndpoint> Process::WaitForEndpoint(milliseconds deadline) {
  const auto give_up_at = steady_clock::now() + deadline;
  while (!std::filesystem::exists(EndpointFile(options_))) {
    if (!IsRunning()) return EndedEarly("its endpoint file");
    if (steady_clock::now() >= give_up_at) {
      return DeadlineExceeded(
          fmt::format("{} is not ready after {} ms:\n{}", name(), deadline.count(), LastLines()));
    }
    std::this_thread::sleep_for(kPollPeriod);
  }
  const std::string line = ReadFile(EndpointFile(options_));
  return ProcessEndpoint{.rpc = Field(line, "rpc="), .admin = Field(line, "admin=")};
}

Status Process::WaitForOutput(std::string_view text, milliseconds deadline) {
  const auto give_up_at = steady_clock::now() + deadline;
  for (;;) {
    // Asked before reading: what it wrote before its end is then seen.
    const bool is_running = IsRunning();
    if (Stdout().find(text) != std::string::npos) return {};
    if (Stderr().find(text) != std::string::npos) return {};
    if (!is_running) return EndedEarly(text);
    if (steady_clock::now() >= give_up_at) {
      return DeadlineExceeded(
          fmt::format("{} has not written \"{}\":\n{}", name(), text, LastLines()));
    }
    std::this_thread::sleep_for(kPollPeriod * 2);
  }
}

Status Process::EndedEarly(std::string_view awaited) const {
  return Unavailable(fmt::format(
      "{} ended with code {} before {}:\n{}", options_.name, exit_->code, awaited, LastLines()));
}

std::string Process::LastLines() const {
  return Tail(Stdout()) + Tail(Stderr());
}

std::string Process::Stdout() const {
  return ReadFrom(stdout_path(), stdout_begin_);
}

std::string Process::Stderr() const {
  return ReadFrom(stderr_path(), stderr_begin_);
}

std::filesystem::path Process::stdout_path() const {
  return options_.dir / (options_.name + ".out");
}

std::filesystem::path Process::stderr_path() const {
  return options_.dir / (options_.name + ".err");
}

int64_t Process::PeakMemoryBytes() const {
  std::ifstream file(fmt::format("/proc/{}/status", pid_));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  }
  return 0;
}

Result<ToolResult> RunTool(ProcessOptions options, milliseconds deadline) {
  std::optional<TempDir> scratch;
  if (options.dir.empty()) options.dir = scratch.emplace("tool").path();
  ASSIGN_OR_RETURN(std::unique_ptr<Process> process, Process::Start(std::move(options)));
  ASSIGN_OR_RETURN(const ExitStatus exit, process->Wait(deadline));
  return ToolResult{.exit = exit, .out = process->Stdout(), .err = process->Stderr()};
}

std::string ReadFile(const std::filesystem::path& path) {
  return ReadFrom(path, 0);
}

Status WriteFile(const std::filesystem::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  return file ? Status() : ErrnoStatus(errno, "write " + path.string());
}

}  // namespace slipstream::test_support
