#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "common/status/status.h"
#include "dfs-client/file_types.h"

namespace slipstream::dfs {

class BlockWriter;
class MasterClient;
class WorkerPool;

// FileAppender: adds to the end of one file, as a writer of its own ("client/<random>") that has
// the file to itself from Open() to Close().
//
// Shape       cuts blocks of 64 MiB; the caller's thread compresses, blocks upload beside it.
// Visibility  what was written since the last Flush() becomes visible all at once with the next, or
//             with Close(). Nothing is appended twice, however often an answer is lost on the way.
// Lease       should the process die, the file is free again when the lease is over, closed at what
//             was flushed. A thread of its own renews it; in a client without threads Write() does.
// Errors      kept: after the first one every call returns it. kUnavailable or kDeadlineExceeded
//             from Flush() or Close(): what it was to append may or may not have become visible,
//             all of it or none; the file's length says. kAborted: the lease was over, or an
//             operator ended this writer. kFailedPrecondition: the file was deleted meanwhile.
// Ownership   borrows what it is made of: must not outlive the DfsClient that opened it.
// Threads     not thread-safe: one caller at a time.
class FileAppender final {
 public:
  struct Options {
    int compression_level = 3;  // zstd's
    size_t uploads_max = 2;     // at a time
    std::chrono::milliseconds lease{60'000};
  };
  struct Parts {
    MasterClient& master;
    BlockWriter& blocks;
    WorkerPool& pool;
    const Clock& clock;
    Sleeper& sleeper;
  };

  // Takes `file`, as the master describes it, for `owner`.
  // Errors: kFailedPrecondition, with the owner's name, where another writer has it; kAborted: the
  // file is no longer as described.
  static Result<std::unique_ptr<FileAppender>> Open(const Options& options,
                                                    const Parts& parts,
                                                    const FileStatus& file,
                                                    std::string owner);
  // Gives the file up, best effort; what was not flushed is lost.
  ~FileAppender();

  FileAppender(const FileAppender&) = delete;
  FileAppender& operator=(const FileAppender&) = delete;

  // Blocks while uploads_max blocks are on their way.
  Status Write(std::string_view raw);

  // Makes all that was written durable and visible.
  Status Flush();

  // Flushes and gives the file up. Idempotent once it has returned OK.
  Status Close();

  // Of the file, as far as this writer has made it visible.
  uint64_t length_bytes() const;

 private:
  struct Impl;
  explicit FileAppender(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::dfs
