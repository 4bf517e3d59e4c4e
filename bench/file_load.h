#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "bench/call_load.h"
#include "common/status/status.h"

namespace slipstream::bench {

// FileLoad: many small files, written and read by several clients at once, each with connections of
// its own.
// Threads: not thread-safe; starts its own.
class FileLoad final {
 public:
  struct Options {
    std::string master;  // HOST:PORT
    size_t clients = 16;
    size_t file_bytes = 1'024;
    std::chrono::milliseconds duration{5'000};
  };

  explicit FileLoad(const Options& options) : options_(options) {}

  // One file a call, durable on its datanodes and visible when the call returns.
  LoadResult Put();
  // kBatch files a call, likewise; the result counts calls.
  static constexpr size_t kBatch = 1'000;
  LoadResult PutBatch();
  // One file a call, of those Put has made: opened, read whole, checked for its length.
  LoadResult Get();

 private:
  const Options options_;
  size_t files_each_ = 0;  // that Put has made for every client
};

// What the machine itself gives for a file put: two files with their folders' entries, written and
// synced one after the other, by `writers` threads in folders of their own below `directory`.
LoadResult SyncPairs(const std::string& directory,
                     size_t writers,
                     size_t file_bytes,
                     std::chrono::milliseconds duration);

}  // namespace slipstream::bench
