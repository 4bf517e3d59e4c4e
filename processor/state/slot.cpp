#include "processor/state/slot.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "processor/state/job_record.h"

namespace slipstream::runtime {
namespace {

constexpr int kSlotsMax = 1024;
constexpr size_t kUuidBytes = 36;

bool IsUuid(std::string_view text) {
  return text.size() == kUuidBytes && std::all_of(text.begin(), text.end(), [](char c) {
           return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// The uuid in the locked file; a new one is minted into an empty file.
Result<std::string> ReadOrMint(int fd, const std::string& path) {
  char buffer[kUuidBytes + 2];
  const ssize_t size = pread(fd, buffer, sizeof(buffer), 0);
  if (size < 0) return ErrnoStatus(errno, "read " + path);
  if (size > 0) {
    std::string_view text(buffer, static_cast<size_t>(size));
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (!IsUuid(text)) return DataLoss(path + " holds no slot; delete it");
    return std::string(text);
  }
  std::string uuid = MintUuid();
  const std::string line = uuid + "\n";
  if (pwrite(fd, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size()) ||
      fsync(fd) != 0) {
    return ErrnoStatus(errno, "write " + path);
  }
  return uuid;
}

}  // namespace

Result<std::unique_ptr<Slot>> Slot::Take(const std::filesystem::path& state_dir,
                                         const std::string& job) {
  if (job.empty() || job.find('/') != std::string::npos || job.front() == '.') {
    return InvalidArgument("job name is no file name: " + job);
  }
  const std::filesystem::path folder = state_dir / (job + ".slots");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return ErrnoStatus(error.value(), "make " + folder.string());
  for (int number = 0; number < kSlotsMax; ++number) {
    const std::string path = folder / std::to_string(number);
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return ErrnoStatus(errno, "open " + path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int lock_error = errno;
      close(fd);
      if (lock_error == EWOULDBLOCK) continue;
      return ErrnoStatus(lock_error, "lock " + path);
    }
    Result<std::string> uuid = ReadOrMint(fd, path);
    if (!uuid.ok()) {
      close(fd);
      return uuid.status();
    }
    return std::unique_ptr<Slot>(new Slot(fd, fmt::format("{}-{}", job, *uuid)));
  }
  return ResourceExhausted(fmt::format("{}: all {} slots are held", folder.string(), kSlotsMax));
}

Slot::~Slot() {
  close(fd_);  // and with it the lock
}

}  // namespace slipstream::runtime
