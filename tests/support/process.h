#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::test_support {

// How a process ended: by itself with `code`, or by `signal` (code is then 128 + signal, as
// shells have it).
struct ExitStatus {
  int code = 0;
  int signal = 0;
};

// Where a daemon said it listens (see common/daemon/endpoint.h).
struct ProcessEndpoint {
  std::string rpc;    // HOST:PORT; empty where it serves no gRPC
  std::string admin;  // HOST:PORT
};

struct ProcessOptions {
  std::filesystem::path program;  // a bare name is looked for in BinDir()
  std::vector<std::string> args;
  // A command that becomes the program (nsenter, prlimit), with its own arguments; empty: none.
  std::vector<std::string> launcher = {};
  // Added to this process's environment, of which no SLIPSTREAM_ variable is passed on but
  // SLIPSTREAM_STATE (where Kafka's jars are): a test does not depend on who runs it.
  std::map<std::string, std::string> environment;
  // Where output (<name>.out, <name>.err, appended to over restarts) and the endpoint file go;
  // also the working directory.
  std::filesystem::path dir;
  std::string name;                  // default: the program's name; two in one dir need two names
  std::filesystem::path stdin_file;  // default: /dev/null
  // A daemon: gets --endpoint-file, and WaitForEndpoint() works.
  bool is_daemon = false;
};

// Process: a real process under test, started, watched and, at the latest at destruction, killed
// (SIGKILL) and waited for. It also dies when the test does, however that comes about.
//
// When the current test has failed, destruction prints the end of its output, which is where the
// reason usually is.
// Threads      not thread-safe; different processes may be used from different threads.
// Blocking     what waits takes a deadline and returns kDeadlineExceeded.
class Process final {
 public:
  static Result<std::unique_ptr<Process>> Start(ProcessOptions options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& name() const { return options_.name; }
  bool IsRunning();
  // How it ended; nothing while it runs.
  std::optional<ExitStatus> Exit();

  // Sends SIGKILL, SIGSTOP, SIGCONT, SIGTERM …; no effect once it has ended.
  void Signal(int signal);
  // kill -9, and waits until it is gone.
  void Kill();
  // SIGTERM, and waits for the end.
  Result<ExitStatus> Terminate(std::chrono::milliseconds deadline = std::chrono::seconds(30));
  Result<ExitStatus> Wait(std::chrono::milliseconds deadline = std::chrono::seconds(60));

  // Waits until the daemon is ready; kUnavailable with its last lines if it ends instead.
  Result<ProcessEndpoint> WaitForEndpoint(
      std::chrono::milliseconds deadline = std::chrono::seconds(30));
  // Waits until `text` stands in its output (either stream), counted from this start.
  Status WaitForOutput(std::string_view text,
                       std::chrono::milliseconds deadline = std::chrono::seconds(60));

  // All it has written since it was started. Both are read from files: they may be large.
  std::string Stdout() const;
  std::string Stderr() const;
  std::filesystem::path stdout_path() const;
  std::filesystem::path stderr_path() const;
  // The process's peak resident memory in bytes so far; 0 once it has ended.
  int64_t PeakMemoryBytes() const;

 private:
  Process(ProcessOptions options, pid_t pid, int64_t stdout_begin, int64_t stderr_begin);

  std::string LastLines() const;
  Status EndedEarly(std::string_view awaited) const;

  const ProcessOptions options_;
  const pid_t pid_;
  const int64_t stdout_begin_;  // sizes of the files when this process began to append to them
  const int64_t stderr_begin_;
  std::optional<ExitStatus> exit_;
};

// What a tool that ran to its end left behind.
struct ToolResult {
  ExitStatus exit;
  std::string out;
  std::string err;
};

// Runs a program to its end: `dfs`, `producer`, `processor query` …. An exit code other than 0 is
// a result, not an error; kDeadlineExceeded (and it is killed) when it does not end.
Result<ToolResult> RunTool(ProcessOptions options,
                           std::chrono::milliseconds deadline = std::chrono::seconds(120));

// The whole of a file; empty if there is none.
std::string ReadFile(const std::filesystem::path& path);
// Replaces the file's content. Errors: whatever the system says.
Status WriteFile(const std::filesystem::path& path, std::string_view content);

}  // namespace slipstream::test_support
