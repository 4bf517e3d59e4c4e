#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include "common/block/encoded_block.h"
#include "common/status/status.h"
#include "dfs-client/file_types.h"

namespace slipstream::dfs {

class BlockWriter;
class WorkerPool;

// BlockPipeline: turns a stream of bytes into durable blocks. The caller's thread compresses, full
// blocks upload beside it. Private to FileWriter and FileAppender.
//
// Memory     up to Options::uploads_max + 1 compressed blocks.
// Ownership  borrows pool and block writer, which must outlive it.
// Errors     kept: after the first one every call returns it.
// Threads    not thread-safe.
class BlockPipeline final {
 public:
  struct Options {
    int compression_level = 3;  // zstd's
    size_t uploads_max = 2;     // at a time
  };
  struct Parts {
    BlockWriter& blocks;
    WorkerPool& pool;
  };

  // Blocks are allocated in the name of `writer`.
  BlockPipeline(const Options& options, const Parts& parts, std::string writer);
  ~BlockPipeline();  // waits for uploads on their way

  BlockPipeline(const BlockPipeline&) = delete;
  BlockPipeline& operator=(const BlockPipeline&) = delete;

  // Blocks while uploads_max blocks are on their way.
  Status Write(std::string_view raw);

  // Everything written since the last Drain, durable, in order.
  Result<std::vector<DurableBlock>> Drain();

  uint64_t written_bytes() const { return written_bytes_; }

 private:
  using Pending = std::future<Result<std::vector<DurableBlock>>>;

  void StartUpload();
  Result<std::vector<DurableBlock>> Upload(const block::EncodedBlock& encoded);
  Status FinishUpload();

  const Options options_;
  const Parts parts_;
  const std::string writer_;
  block::FrameCompressor compressor_;
  block::BlockEncoder encoder_;
  std::deque<Pending> uploads_;        // in the order of the stream
  std::vector<DurableBlock> durable_;  // those before
  uint64_t written_bytes_ = 0;
  Status error_;
};

}  // namespace slipstream::dfs
