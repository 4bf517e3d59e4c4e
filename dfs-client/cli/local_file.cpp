#include "dfs-client/cli/local_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <cstdio>
#include <cstring>
#include <utility>

namespace slipstream::dfs::cli {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
constexpr int kExitInterrupted = 130;
constexpr mode_t kNewFileMode = 0666;  // less the umask

// What the signal handler removes. It may only touch plain memory: written while the flag is
// down, read while it is up.
// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): a signal handler has no other
// way.
std::array<char, PATH_MAX> temporary_path_of_handler;
std::atomic<bool> has_temporary_file = false;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

void RememberTemporaryFile(const std::string& path) {
  const size_t length = std::min(path.size(), temporary_path_of_handler.size() - 1);
  std::memcpy(temporary_path_of_handler.data(), path.data(), length);
  temporary_path_of_handler[length] = '\0';
  has_temporary_file = true;
}

void OnSignal(int) {
  if (has_temporary_file) unlink(temporary_path_of_handler.data());
  _exit(kExitInterrupted);
}

}  // namespace

void ExitCleanlyOnSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

std::string IncomingFile::temporary_path() const {
  return path_ + "._COPYING_";
}

Result<std::unique_ptr<IncomingFile>> IncomingFile::Create(const std::string& path) {
  // O_CLOEXEC for its own sake; an older copy that was cut off is overwritten.
  const std::string temporary = path + "._COPYING_";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kNewFileMode);
  if (fd < 0) return ErrnoStatus(errno, temporary);
  RememberTemporaryFile(temporary);
  return std::unique_ptr<IncomingFile>(new IncomingFile(path, fd));
}

IncomingFile::~IncomingFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_path().c_str());
  has_temporary_file = false;
}

Status IncomingFile::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, path_);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status IncomingFile::Commit() {
  // Not closed before the rename: the destructor tells by it whether there is one to remove.
  if (rename(temporary_path().c_str(), path_.c_str()) != 0) return ErrnoStatus(errno, path_);
  has_temporary_file = false;
  const int fd = std::exchange(fd_, -1);
  if (close(fd) != 0) return ErrnoStatus(errno, path_);
  return {};
}

OutgoingFile::OutgoingFile(std::string path, int fd, uint64_t size_bytes)
    : path_(std::move(path)), fd_(fd), size_bytes_(size_bytes), buffer_(kReadBytes, '\0') {}

Result<std::unique_ptr<OutgoingFile>> OutgoingFile::Open(const std::string& path) {
  const bool is_stdin = path == "-";
  const int fd = is_stdin ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, path);
  struct stat status {};
  const bool is_regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  const uint64_t size = is_regular ? static_cast<uint64_t>(status.st_size) : 0;
  return std::unique_ptr<OutgoingFile>(new OutgoingFile(path, fd, size));
}

OutgoingFile::~OutgoingFile() {
  if (fd_ != STDIN_FILENO) close(fd_);
}

Result<std::string_view> OutgoingFile::Read() {
  while (true) {
    const ssize_t got = read(fd_, buffer_.data(), buffer_.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, path_);
    return std::string_view(buffer_.data(), static_cast<size_t>(got));
  }
}

}  // namespace slipstream::dfs::cli
