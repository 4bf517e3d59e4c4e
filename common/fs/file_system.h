#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream {

// An open file. Offsets and lengths are bytes. Closed by the destructor; what was not synced may
// be lost in a crash.
// Threads  Read may be called from several threads at once; the rest from one at a time.
// Errors   of all methods: kResourceExhausted (disk full), kUnavailable (EIO), else kUnknown.
class File {
 public:
  virtual ~File() = default;

  // Reads `length` bytes from `offset` into `out`; less only at the end of the file. Returns how
  // many.
  virtual Result<size_t> Read(uint64_t offset, char* out, size_t length) const = 0;
  // Writes all of `data` at `offset`. After an error any part of it may have been written.
  virtual Status Write(uint64_t offset, std::string_view data) = 0;
  // Makes room on the disk for a file of `bytes`, so that it lies in one piece and a full disk is
  // noticed now; the file's size does not change. OK where the file system cannot do it.
  virtual Status Allocate(uint64_t bytes) = 0;
  virtual Status Truncate(uint64_t bytes) = 0;
  // What was written is durable when it returns OK. After an error nothing is known of it, and a
  // later OK does not change that.
  virtual Status Sync() = 0;
  virtual Result<uint64_t> Size() const = 0;
};

// Held as long as it exists.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode {
  kRead,    // must exist
  kCreate,  // must not exist; for reading and writing
  kUpdate,  // must exist; for reading and writing
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
};

struct DiskSpace {
  uint64_t capacity_bytes = 0;
  uint64_t available_bytes = 0;  // to this process
  uint64_t device = 0;           // paths with the same one share their space; 0: not known
};

// FileSystem: the seam to the disk. Paths are as the operating system takes them.
// Threads     thread-safe.
// Blocking    every method may wait for the disk.
// Durability  names (made, renamed, removed) are durable after SyncDirectory of their directory;
//             directories made are durable at once.
// Errors      kNotFound, kAlreadyExists, and those of File.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  // Replaces `target` if it exists, atomically.
  virtual Status Rename(const std::string& source, const std::string& target) = 0;
  virtual Status Remove(const std::string& path) = 0;
  // With all parents; OK if it exists.
  virtual Status MakeDirectories(const std::string& path) = 0;
  virtual Status SyncDirectory(const std::string& path) = 0;
  // In no particular order.
  virtual Result<std::vector<DirectoryEntry>> List(const std::string& path) = 0;
  virtual Result<DiskSpace> Space(const std::string& path) = 0;
  // Takes `path`, made if need be, for this process alone; kFailedPrecondition if another has it.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
};

// The whole of a small file. kDataLoss if it is longer than `bytes_max`.
Result<std::string> ReadSmallFile(FileSystem& fs, const std::string& path, size_t bytes_max);

// Replaces `path` by a file with `content`, durably: a reader, and a crash, leave the old or the
// new one. Uses `path`.tmp, which it removes when it fails.
Status WriteSmallFile(FileSystem& fs, const std::string& path, std::string_view content);

// What lies before the last '/' of a path: its directory.
std::string DirectoryOf(const std::string& path);

}  // namespace slipstream
