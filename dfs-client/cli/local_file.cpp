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

#include <grp.h>
#include <pwd.h>
#include <zlib.h>

namespace slipstream::dfs::cli {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
constexpr int kExitInterrupted = 130;
constexpr mode_t kNewFileMode = 0666;  // less the umask

// What the signal handler removes. It may only touch plain memory: a path is written while its flag
// is down, and read while it is up.
struct TemporaryFile {
  std::atomic<bool> is_taken = false;  // by an IncomingFile
  std::atomic<bool> exists = false;
  std::array<char, PATH_MAX> path{};
};
// A signal handler has no other way.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
std::array<TemporaryFile, IncomingFile::kIncomingFilesMax> temporary_files;

// kResourceExhausted when all are taken.
Result<size_t> TakeSlot(const std::string& path) {
  if (path.size() >= PATH_MAX) return InvalidArgument(path + ": name too long");
  for (size_t slot = 0; slot < temporary_files.size(); ++slot) {
    TemporaryFile& file = temporary_files[slot];
    if (file.is_taken.exchange(true)) continue;
    std::memcpy(file.path.data(), path.c_str(), path.size() + 1);
    return slot;
  }
  return ResourceExhausted("too many files are being fetched");
}

void FreeSlot(size_t slot) {
  temporary_files[slot].exists = false;
  temporary_files[slot].is_taken = false;
}

void OnSignal(int) {
  for (TemporaryFile& file : temporary_files) {
    if (file.exists) unlink(file.path.data());
  }
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
  const std::string temporary = path + "._COPYING_";
  ASSIGN_OR_RETURN(const size_t slot, TakeSlot(temporary));
  // An older copy that was cut off is overwritten.
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kNewFileMode);
  if (fd < 0) {
    const int error = errno;
    FreeSlot(slot);
    return ErrnoStatus(error, path);
  }
  temporary_files[slot].exists = true;
  return std::unique_ptr<IncomingFile>(new IncomingFile(path, fd, slot));
}

IncomingFile::~IncomingFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_path().c_str());
  FreeSlot(slot_);
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

Status IncomingFile::WriteAt(uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, path_);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

Status IncomingFile::Commit() {
  // Not closed before the rename: the destructor tells by it whether there is one to remove.
  if (rename(temporary_path().c_str(), path_.c_str()) != 0) return ErrnoStatus(errno, path_);
  FreeSlot(slot_);
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
  // Whole buffers of files, whatever is there of a pipe.
  size_t filled = 0;
  while (filled < buffer_.size()) {
    const ssize_t got = read(fd_, buffer_.data() + filled, buffer_.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, path_);
    filled += static_cast<size_t>(got);
    if (got == 0 || size_bytes_ == 0) break;
  }
  return std::string_view(buffer_.data(), filled);
}

namespace {

int64_t MillisecondsOf(const timespec& time) {
  return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

timespec TimeOf(int64_t time_ms) {
  return {.tv_sec = time_ms / 1000, .tv_nsec = time_ms % 1000 * 1'000'000};
}

}  // namespace

Result<AttributeChange> LocalAttributes(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return ErrnoStatus(errno, path);
  constexpr mode_t kPermissions = 01777;
  const passwd* user = getpwuid(status.st_uid);
  const group* owners = getgrgid(status.st_gid);
  return AttributeChange{
      .owner = user != nullptr ? user->pw_name : std::to_string(status.st_uid),
      .group = owners != nullptr ? owners->gr_name : std::to_string(status.st_gid),
      .mode = status.st_mode & kPermissions,
      .modified_at_ms = MillisecondsOf(status.st_mtim),
      .accessed_at_ms = MillisecondsOf(status.st_atim)};
}

Status SetLocalAttributes(const std::string& path, const FileStatus& status) {
  const passwd* user = getpwnam(status.owner.c_str());
  const group* owners = getgrnam(status.group.c_str());
  const uid_t uid = user != nullptr ? user->pw_uid : static_cast<uid_t>(-1);
  const gid_t gid = owners != nullptr ? owners->gr_gid : static_cast<gid_t>(-1);
  if (chown(path.c_str(), uid, gid) != 0 && errno != EPERM) return ErrnoStatus(errno, path);
  if (chmod(path.c_str(), static_cast<mode_t>(status.mode)) != 0) return ErrnoStatus(errno, path);
  const std::array<timespec, 2> times{TimeOf(status.accessed_at_ms), TimeOf(status.modified_at_ms)};
  if (utimensat(AT_FDCWD, path.c_str(), times.data(), 0) != 0) return ErrnoStatus(errno, path);
  return {};
}

Status WriteCrcFile(const std::string& path) {
  constexpr size_t kBytesPerCrc = 512;
  const size_t name = path.rfind('/') + 1;  // 0 where there is none
  ASSIGN_OR_RETURN(auto in, OutgoingFile::Open(path));
  ASSIGN_OR_RETURN(auto out,
                   IncomingFile::Create(path.substr(0, name) + "." + path.substr(name) + ".crc"));
  const auto big_endian = [](uint32_t number) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(number >> shift));
    return bytes;
  };
  // "crc", version 0, how many bytes each of the CRC32s behind it covers.
  std::string content = std::string("crc\0", 4) + big_endian(kBytesPerCrc);
  static_assert(kReadBytes % kBytesPerCrc == 0);
  while (true) {
    ASSIGN_OR_RETURN(std::string_view bytes, in->Read());
    if (bytes.empty()) break;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(kBytesPerCrc, bytes.size()))) {
      const std::string_view piece = bytes.substr(0, kBytesPerCrc);
      const uLong crc = crc32(0,
                              // zlib wants bytes without a sign.
                              reinterpret_cast<const Bytef*>(piece.data()),
                              static_cast<uInt>(piece.size()));
      content += big_endian(static_cast<uint32_t>(crc));
    }
  }
  RETURN_IF_ERROR(out->Write(content));
  return out->Commit();
}

}  // namespace slipstream::dfs::cli
