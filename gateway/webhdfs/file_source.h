#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "dfs-client/dfs_client.h"
#include "gateway/http/message.h"

namespace slipstream::gateway::webhdfs {

// FileSource: a range of a file, decompressed, for a download.
//
// Memory     one chunk at a time, no window: how far the gateway reads ahead of the client is the
//            server's to bound.
// Ownership  shares the client with the cache of clients, and keeps it while the reader lives.
class FileSource final : public http::BodySource {
 public:
  static constexpr uint64_t kChunkBytes = 2ULL << 20;

  // What a download of so many bytes holds at most: the chunk being sent, the next one, and that as
  // it came, compressed.
  static uint64_t MemoryFor(uint64_t bytes) {
    return 4 * std::min(bytes, kChunkBytes) + kBaseBytes;
  }

  FileSource(std::shared_ptr<dfs::DfsClient> client,
             std::unique_ptr<dfs::FileReader> reader,
             uint64_t offset_bytes,
             uint64_t length_bytes)
      : client_(std::move(client)),
        reader_(std::move(reader)),
        next_(offset_bytes),
        end_(offset_bytes + length_bytes) {}

  Result<std::string> Next() override {
    if (next_ == end_) return std::string();
    ASSIGN_OR_RETURN(std::string chunk,
                     reader_->ReadAt(next_, std::min(kChunkBytes, end_ - next_)));
    if (chunk.empty()) return DataLoss("the file ends before its length");
    next_ += chunk.size();
    return chunk;
  }

 private:
  static constexpr uint64_t kBaseBytes = 64 * 1024;

  const std::shared_ptr<dfs::DfsClient> client_;
  const std::unique_ptr<dfs::FileReader> reader_;
  uint64_t next_;
  const uint64_t end_;
};

}  // namespace slipstream::gateway::webhdfs
