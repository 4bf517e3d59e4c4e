#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "common/status/status.h"
#include "dfs-client/file_types.h"

namespace slipstream::dfs {

class HedgedReader;
class MasterClient;
class NodeClient;
class Notices;
class SuspectNodes;
class WorkerPool;

// FileReader: the bytes of one file, as they were committed when it was opened.
//
// Shape       reads in segments of up to kSegmentBytes of one block. Next() keeps a window of them
//             on the way, so that fetching and decompressing run beside the caller.
// Memory      at most kWindowBytes of raw data, and the one chunk the caller holds.
// Errors      a replica that is bad, gone or slow is passed over for another, and a bad one is
//             reported; when all that are known failed, the master is asked where others are. So a
//             reader goes on without the master as long as the replicas it knows of answer. Blocks
//             that were merged into another meanwhile are read there: the bytes are the same.
//             kDataLoss: every replica is bad. kUnavailable: no replica answered until the
//             timeout; the message names the nodes to wait for. kNotFound: deleted meanwhile.
//             kFailedPrecondition: cut meanwhile.
// Ownership   borrows what it is made of: must not outlive the DfsClient that opened it.
// Threads     not thread-safe: one caller at a time.
class FileReader final {
 public:
  static constexpr uint64_t kSegmentBytes = 4ULL << 20;
  static constexpr uint64_t kWindowBytes = 16ULL << 20;
  static constexpr size_t kWindowSegments = 16;

  struct Options {
    // Of one segment, over all replicas and attempts.
    std::chrono::milliseconds timeout;
    // Of one attempt at one replica.
    std::chrono::milliseconds attempt_timeout;
    uint64_t seed = 0;  // of the jitter; 0: a random one
    std::stop_token stop;
    const Clock* clock = &SystemClock::Get();
    Sleeper* sleeper = &SystemSleeper::Get();
  };
  struct Parts {
    MasterClient& master;
    NodeClient& nodes;
    HedgedReader& hedged;
    SuspectNodes& suspects;
    WorkerPool& pool;
    Notices& notices;
  };

  // `blocks` from the beginning of the file; the rest is asked for when it is needed.
  FileReader(const Options& options, const Parts& parts, FileBlocks blocks);
  ~FileReader();  // cancels what is on its way

  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  // As it was when the file was opened; its length is where this reader ends.
  const FileStatus& status() const;

  // The next bytes of the file, in chunks of any length; empty at its end. After an error the next
  // call tries the same place again.
  Result<std::string> Next();

  // Where Next() goes on; any offset up to the length.
  Status Seek(uint64_t offset_bytes);

  // `length_bytes` from `offset_bytes`, fewer where the file ends. Does not move Next().
  Result<std::string> ReadAt(uint64_t offset_bytes, uint64_t length_bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::dfs
