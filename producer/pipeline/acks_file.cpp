#include "producer/pipeline/acks_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <iterator>
#include <utility>

#include <fmt/compile.h>
#include <fmt/format.h>

namespace slipstream::producer {
namespace {

constexpr size_t kBufferBytes = 32 << 10;

}  // namespace

Result<std::unique_ptr<AcksFile>> AcksFile::Create(const std::filesystem::path& path) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus(errno, "create " + path.string());
  return std::unique_ptr<AcksFile>(new AcksFile(fd, path.string()));
}

AcksFile::AcksFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

AcksFile::~AcksFile() {
  (void)Write();
  ::close(fd_);
}

void AcksFile::Add(int64_t id) {
  fmt::format_to(std::back_inserter(lines_), FMT_COMPILE("{}\n"), id);
  if (lines_.size() >= kBufferBytes) (void)Write();
}

Status AcksFile::Write() {
  size_t written = 0;
  while (error_.ok() && written < lines_.size()) {
    ssize_t count = ::write(fd_, lines_.data() + written, lines_.size() - written);
    if (count >= 0) {
      written += static_cast<size_t>(count);
    } else if (errno != EINTR) {
      error_ = ErrnoStatus(errno, "write " + path_);
    }
  }
  lines_.clear();
  return error_;
}

}  // namespace slipstream::producer
