#include "tests/support/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include <stdlib.h>

#include "tests/support/spawner.h"

namespace slipstream::test_support {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPollPeriod{20};

}  // namespace

Result<std::unique_ptr<Terminal>> Terminal::Start(std::vector<std::string> argv,
                                                  std::vector<std::string> environment,
                                                  const std::filesystem::path& working_directory) {
  const int screen = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (screen < 0) return ErrnoStatus(errno, "open a terminal");
  std::array<char, 64> path = {};
  if (::grantpt(screen) != 0 || ::unlockpt(screen) != 0 ||
      ::ptsname_r(screen, path.data(), path.size()) != 0) {
    const int error = errno;
    ::close(screen);
    return ErrnoStatus(error, "open a terminal");
  }
  // A session of its own whose terminal this is, so that Ctrl-C is a signal to it.
  argv.insert(argv.begin(), {"/usr/bin/setsid", "--ctty"});
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with("SLIPSTREAM_") && !text.starts_with("TERM="))
      environment.emplace_back(text);
  }
  const Result<pid_t> pid = Spawn({.argv = std::move(argv),
                                   .environment = std::move(environment),
                                   .working_directory = working_directory.string(),
                                   .stdin_path = path.data(),
                                   .stdout_path = path.data(),
                                   .stderr_path = path.data()});
  if (!pid.ok()) {
    ::close(screen);
    return pid.error();
  }
  return std::unique_ptr<Terminal>(new Terminal(screen, *pid));
}

Terminal::~Terminal() {
  if (!has_exited_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(screen_);
}

Status Terminal::Type(std::string_view keys) {
  while (!keys.empty()) {
    const ssize_t written = ::write(screen_, keys.data(), keys.size());
    if (written < 0) return ErrnoStatus(errno, "type");
    keys.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

void Terminal::Read(milliseconds wait) {
  pollfd waited{.fd = screen_, .events = POLLIN, .revents = 0};
  if (::poll(&waited, 1, static_cast<int>(wait.count())) <= 0) return;
  std::array<char, 4096> bytes;
  const ssize_t got = ::read(screen_, bytes.data(), bytes.size());
  for (ssize_t i = 0; i < got; ++i) {
    if (bytes[static_cast<size_t>(i)] != '\r') unseen_.push_back(bytes[static_cast<size_t>(i)]);
  }
}

Result<std::string> Terminal::WaitFor(std::string_view text, milliseconds deadline) {
  const auto give_up_at = steady_clock::now() + deadline;
  for (;;) {
    if (const size_t at = unseen_.find(text); at != std::string::npos) {
      std::string seen = unseen_.substr(0, at + text.size());
      unseen_.erase(0, at + text.size());
      return seen;
    }
    if (steady_clock::now() >= give_up_at) {
      return DeadlineExceeded("waited for \"" + std::string(text) + "\", on the screen:\n" +
                              unseen_);
    }
    Read(kPollPeriod);
  }
}

Result<int> Terminal::WaitForExit(milliseconds deadline) {
  const auto give_up_at = steady_clock::now() + deadline;
  for (;;) {
    Read(kPollPeriod);  // who writes to a full terminal does not end
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      has_exited_ = true;
      return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    if (steady_clock::now() >= give_up_at) {
      return DeadlineExceeded("it still runs; on the screen:\n" + unseen_);
    }
  }
}

}  // namespace slipstream::test_support
