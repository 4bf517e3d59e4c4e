#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::test_support {

// Terminal: a process at a terminal of its own (a pseudo-terminal that it controls), and somebody
// who types and reads. Killed at destruction, with its whole session.
// Threads  not thread-safe. Blocking  what waits takes a deadline.
class Terminal final {
 public:
  // `argv[0]` is the program's path. The environment is this process's, with `environment` before
  // it ("NAME=value") and no SLIPSTREAM_ variable.
  static Result<std::unique_ptr<Terminal>> Start(std::vector<std::string> argv,
                                                 std::vector<std::string> environment,
                                                 const std::filesystem::path& working_directory);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // What was typed; "\x03" is Ctrl-C, "\x04" Ctrl-D.
  Status Type(std::string_view keys);
  // Waits until `text` is on the screen behind what WaitFor has found before, and returns what came
  // up to its end, without carriage returns. kDeadlineExceeded with what is there.
  Result<std::string> WaitFor(std::string_view text,
                              std::chrono::milliseconds deadline = std::chrono::seconds(60));
  // Its exit code, as shells have it.
  Result<int> WaitForExit(std::chrono::milliseconds deadline = std::chrono::seconds(60));

 private:
  Terminal(int screen, pid_t pid) : screen_(screen), pid_(pid) {}

  // Takes in what there is within `wait`.
  void Read(std::chrono::milliseconds wait);

  const int screen_;
  const pid_t pid_;
  bool has_exited_ = false;
  std::string unseen_;  // behind what WaitFor has found
};

}  // namespace slipstream::test_support
