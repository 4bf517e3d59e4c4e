#include "common/fs/posix_file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace slipstream {
namespace {

constexpr mode_t kFileMode = 0644;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

template <class Call>
auto RetryInterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR)
    result = call();
  return result;
}

Result<Descriptor> OpenDescriptor(const std::string& path, int flags) {
  int number = RetryInterrupted([&] { return open(path.c_str(), flags | O_CLOEXEC, kFileMode); });
  if (number < 0) return ErrnoStatus(errno, "open " + path);
  return Descriptor(number);
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<size_t> Read(uint64_t offset, char* out, size_t length) const override {
    size_t done = 0;
    while (done < length) {
      const ssize_t size = RetryInterrupted([&] {
        return pread(
            descriptor_.get(), out + done, length - done, static_cast<off_t>(offset + done));
      });
      if (size < 0) return ErrnoStatus(errno, "read " + path_);
      if (size == 0) break;
      done += static_cast<size_t>(size);
    }
    return done;
  }

  Status Write(uint64_t offset, std::string_view data) override {
    while (!data.empty()) {
      const ssize_t size = RetryInterrupted([&] {
        return pwrite(descriptor_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      });
      if (size < 0) return ErrnoStatus(errno, "write " + path_);
      data.remove_prefix(static_cast<size_t>(size));
      offset += static_cast<uint64_t>(size);
    }
    return {};
  }

  Status Allocate(uint64_t bytes) override {
    const int result = RetryInterrupted([&] {
      return fallocate(descriptor_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes));
    });
    if (result < 0 && errno != EOPNOTSUPP && errno != ENOSYS) {
      return ErrnoStatus(errno, "allocate " + path_);
    }
    return {};
  }

  Status Truncate(uint64_t bytes) override {
    const int result =
        RetryInterrupted([&] { return ftruncate(descriptor_.get(), static_cast<off_t>(bytes)); });
    if (result < 0) return ErrnoStatus(errno, "truncate " + path_);
    return {};
  }

  Status Sync() override {
    // Not retried: after an error the kernel may call the lost pages clean.
    if (fdatasync(descriptor_.get()) != 0) return ErrnoStatus(errno, "sync " + path_);
    return {};
  }

  Result<uint64_t> Size() const override {
    struct stat info {};
    if (fstat(descriptor_.get(), &info) != 0) return ErrnoStatus(errno, "stat " + path_);
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  const Descriptor descriptor_;
  const std::string path_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;
};

int FlagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::kUpdate:
      return O_RDWR;
  }
  return O_RDONLY;
}

}  // namespace

PosixFileSystem& PosixFileSystem::Get() {
  static PosixFileSystem file_system;
  return file_system;
}

Result<std::unique_ptr<File>> PosixFileSystem::Open(const std::string& path, OpenMode mode) {
  ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, FlagsOf(mode)));
  return std::make_unique<PosixFile>(std::move(descriptor), path);
}

Status PosixFileSystem::Rename(const std::string& source, const std::string& target) {
  if (rename(source.c_str(), target.c_str()) == 0) return {};
  return ErrnoStatus(errno, "rename " + source + " to " + target);
}

Status PosixFileSystem::Remove(const std::string& path) {
  if (unlink(path.c_str()) == 0) return {};
  return ErrnoStatus(errno, "remove " + path);
}

Status PosixFileSystem::MakeDirectories(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  const std::string parent = DirectoryOf(path);
  if (parent != path) RETURN_IF_ERROR(MakeDirectories(parent));
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, "make directory " + path);
  }
  return SyncDirectory(parent);
}

Status PosixFileSystem::SyncDirectory(const std::string& path) {
  ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, O_RDONLY | O_DIRECTORY));
  if (fsync(descriptor.get()) != 0) return ErrnoStatus(errno, "sync " + path);
  return {};
}

Result<std::vector<DirectoryEntry>> PosixFileSystem::List(const std::string& path) {
  std::vector<DirectoryEntry> entries;
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    const bool is_directory = entry->is_directory(error);
    if (!error) {
      entries.push_back({.name = entry->path().filename(), .is_directory = is_directory});
      entry.increment(error);
    }
  }
  if (error) return ErrnoStatus(error.value(), "list " + path);
  return entries;
}

Result<DiskSpace> PosixFileSystem::Space(const std::string& path) {
  struct statvfs info {};
  if (statvfs(path.c_str(), &info) != 0) return ErrnoStatus(errno, "statvfs " + path);
  return DiskSpace{.capacity_bytes = uint64_t{info.f_blocks} * info.f_frsize,
                   .available_bytes = uint64_t{info.f_bavail} * info.f_frsize,
                   .device = info.f_fsid};
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::Lock(const std::string& path) {
  ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, O_RDWR | O_CREAT));
  if (flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return FailedPrecondition(path + " is held by another process");
    return ErrnoStatus(errno, "lock " + path);
  }
  return std::make_unique<PosixFileLock>(std::move(descriptor));
}

}  // namespace slipstream
