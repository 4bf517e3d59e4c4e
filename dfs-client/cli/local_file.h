#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "dfs-client/file_types.h"

namespace slipstream::dfs::cli {

// IncomingFile: a local file that is being fetched. Written as `<path>._COPYING_` and renamed when
// it is whole, so that nobody ever sees half of it; the temporary file goes with the object and
// with SIGINT and SIGTERM.
//
// At most kIncomingFilesMax at a time in a process, since the signal handler must know them all.
// Threads: WriteAt() from any; else not thread-safe.
class IncomingFile final {
 public:
  static constexpr size_t kIncomingFilesMax = 64;

  static Result<std::unique_ptr<IncomingFile>> Create(const std::string& path);
  ~IncomingFile();

  IncomingFile(const IncomingFile&) = delete;
  IncomingFile& operator=(const IncomingFile&) = delete;

  Status Write(std::string_view bytes);
  Status WriteAt(uint64_t offset, std::string_view bytes);
  // Renames it to its path, over what is there.
  Status Commit();

 private:
  IncomingFile(std::string path, int fd, size_t slot)
      : path_(std::move(path)), fd_(fd), slot_(slot) {}
  std::string temporary_path() const;

  const std::string path_;
  int fd_;             // -1 once closed
  const size_t slot_;  // where the signal handler finds it
};

// OutgoingFile: a local file, or standard input, that is being read. Threads: not thread-safe.
class OutgoingFile final {
 public:
  // "-" is standard input. kNotFound, or whatever the system says.
  static Result<std::unique_ptr<OutgoingFile>> Open(const std::string& path);
  ~OutgoingFile();

  OutgoingFile(const OutgoingFile&) = delete;
  OutgoingFile& operator=(const OutgoingFile&) = delete;

  // The next bytes, valid until the next call; empty at the end.
  Result<std::string_view> Read();
  // 0 where it is not known.
  uint64_t size_bytes() const { return size_bytes_; }

 private:
  OutgoingFile(std::string path, int fd, uint64_t size_bytes);

  const std::string path_;
  const int fd_;
  const uint64_t size_bytes_;
  std::string buffer_;
};

// Times, owner, group and mode of a local file or directory, for `put -p`. Names where the system
// has them, else numbers.
Result<AttributeChange> LocalAttributes(const std::string& path);
// Gives a local file what `status` has, for `get -p`. Owner and group only where this machine knows
// the names and this process may give files away.
Status SetLocalAttributes(const std::string& path, const FileStatus& status);

// Writes `.<name>.crc` beside a local file: the checksums that Hadoop's local file system keeps
// (`get -crc`).
Status WriteCrcFile(const std::string& path);

// From now on SIGINT and SIGTERM remove the temporary files, if there are any, and end the process
// with 130.
void ExitCleanlyOnSignals();

}  // namespace slipstream::dfs::cli
