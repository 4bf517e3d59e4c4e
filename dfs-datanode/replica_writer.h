#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/block/block.h"
#include "common/status/status.h"
#include "dfs-datanode/block_store.h"
#include "dfs-datanode/frame_verifier.h"
#include "dfs-datanode/pack_store.h"
#include "dfs-datanode/replica_store.h"

namespace slipstream::datanode {

// ReplicaWriter: the blocks of one stream, on their way into a ReplicaStore. Begin, then Append all
// of the block's bytes; again for the next; at last Commit. Without it, or after an error, the
// destructor removes what was written.
//
// Memory    holds the small blocks of the stream, up to 8 MiB of them; larger blocks go to the disk
//           piece by piece, and each is synced as it ends.
// Threads   not thread-safe.
// Blocking  every method may wait for the disk.
class ReplicaWriter final {
 public:
  explicit ReplicaWriter(ReplicaStore& store) : store_(store) {}
  ~ReplicaWriter();
  ReplicaWriter(const ReplicaWriter&) = delete;
  ReplicaWriter& operator=(const ReplicaWriter&) = delete;

  // kInvalidArgument if `meta` is no valid block or the one before is not complete;
  // kAlreadyExists, kResourceExhausted.
  Status Begin(block::BlockMeta meta);

  // The next stored bytes of the block. kDataLoss as soon as a frame does not hold.
  Status Append(std::string_view stored);

  // All blocks are durable, and live, when it returns OK.
  Status Commit();

 private:
  struct Open {
    explicit Open(block::BlockMeta block_meta) : meta(std::move(block_meta)), verifier(meta) {}
    const block::BlockMeta meta;
    FrameVerifier verifier;
    std::unique_ptr<BlockStore::Writer> file;  // null: a small block
    std::string stored;                        // of a small block
  };

  Status FinishBlock();
  Status FlushPacked();

  ReplicaStore& store_;
  std::set<block::BlockId> reserved_;
  std::unique_ptr<Open> open_;
  std::vector<std::unique_ptr<BlockStore::Writer>> sealed_;
  std::vector<PackedBlock> packed_;
  uint64_t packed_bytes_ = 0;
  std::vector<block::BlockId> flushed_;  // in packs already
  std::vector<ReplicaStore::Replica> finished_;
};

}  // namespace slipstream::datanode
