#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/block/block.h"
#include "common/status/status.h"
#include "dfs-datanode/block_store.h"
#include "dfs-datanode/disk.h"
#include "dfs-datanode/frame_verifier.h"
#include "dfs-datanode/pack_store.h"
#include "dfs-datanode/replica_store.h"

namespace slipstream::datanode {

// ReplicaWriter: the blocks of one stream, on their way into a ReplicaStore. Begin, then Append all
// of the block's bytes; again for the next; at last Commit. Without it, or after an error, the
// destructor removes what was written.
//
// Disks     the small blocks of a stream go to one disk, so that they share its sync; the larger
//           ones to all in turn. Room is kept on them from Begin on.
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
    size_t disk_index = 0;
    std::unique_ptr<BlockStore::Writer> file;  // null: a small block
    std::string stored;                        // of a small block
  };
  using Writers = std::vector<std::unique_ptr<BlockStore::Writer>>;

  Status BeginFile(Open& open);
  Status BeginPacked(Open& open);
  Status FinishBlock();
  Status FlushPacked();

  ReplicaStore& store_;
  std::vector<Disk::Hold> holds_;  // room for what was begun
  std::set<block::BlockId> reserved_;
  std::unique_ptr<Open> open_;
  std::map<size_t, Writers> sealed_;  // by disk
  std::vector<PackedBlock> packed_;
  size_t packed_disk_index_ = 0;  // where they go
  uint64_t packed_bytes_ = 0;
  std::vector<ReplicaStore::Replica> placed_;  // on the disk already, under their names
  std::vector<ReplicaStore::Replica> finished_;
};

}  // namespace slipstream::datanode
