#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/status/status.h"

namespace slipstream::dfs {

class BlockWriter;
class FilePublisher;
class WorkerPool;

// FileWriter: makes one new file from a stream of bytes: nothing of the file is visible before
// Close() has returned OK, and all of it is then. Its blocks are allocated in a name of its own,
// so that what failed attempts leave behind is collected although the client goes on writing.
//
// Shape       cuts blocks of 64 MiB; the caller's thread compresses, blocks upload beside it.
// Memory      up to Options::uploads_max + 1 compressed blocks.
// Durability  after Close(): on as many datanodes as the master asks for, and in its log. A writer
//             destroyed without it leaves nothing; the master collects its blocks.
// Errors      kept: after the first one every call returns it, and nothing becomes visible.
// Ownership   borrows what it is made of: must not outlive the DfsClient that opened it.
// Threads     not thread-safe: one caller at a time.
class FileWriter final {
 public:
  struct Options {
    bool replace = false;       // an existing file gives way, at Close()
    int compression_level = 3;  // zstd's
    size_t uploads_max = 2;     // at a time
    uint32_t replication = 0;   // of a new file; 0: the master's default
    uint32_t mode = 0;          // of a new file; 0: 0644
  };
  struct Parts {
    FilePublisher& publisher;
    BlockWriter& blocks;
    WorkerPool& pool;
  };

  // Blocks are allocated in the name of `allocator`.
  FileWriter(const Options& options, const Parts& parts, std::string path, std::string allocator);
  ~FileWriter();  // waits for uploads on their way

  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  // Blocks while uploads_max blocks are on their way.
  Status Write(std::string_view raw);

  // Errors: kAlreadyExists, kFailedPrecondition (a parent is a file), kUnavailable, …
  Status Close();

  uint64_t written_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::dfs
