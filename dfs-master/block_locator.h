#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/block_map.h"
#include "dfs-master/node_table.h"
#include "dfs-master/records.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

struct NodeAddress {
  std::string node_id;
  std::string address;
};

struct LocatedBlock {
  Block block;
  uint32_t length_bytes = 0;                  // of the block's beginning belong to the file
  std::vector<NodeAddress> nodes;             // with a good replica, the best to ask first
  std::vector<std::string> missing_node_ids;  // with no such node: the last known holders
};

// How a replica is, as an operator is told.
enum class ReplicaState : uint8_t {
  kLive,
  kStaleNode,    // its node is silent for a while
  kUnconfirmed,  // its node has not reported it since it registered
  kCorrupt,
  kDecommissioning,
  kDecommissioned,
  kInMaintenance,
};

struct ReplicaReport {
  NodeAddress node;
  std::string host;
  std::string rack;
  ReplicaState state = ReplicaState::kLive;
};

// BlockLocator: which blocks a piece of a file is made of, and whom to ask for them.
// Threads: none; under the master's lock. Borrows all it is made of.
class BlockLocator final {
 public:
  struct Range {
    uint64_t first_block_offset_bytes = 0;
    std::vector<LocatedBlock> blocks;
  };

  BlockLocator(const KeyValueStore& store, const BlockMap& blocks, const NodeTable& nodes)
      : store_(store), blocks_(blocks), nodes_(nodes) {}

  // The blocks of a file that overlap [offset, end), which lies within the file; at most `limit`.
  Result<Range> Locate(InodeId file, uint64_t offset_bytes, uint64_t end_bytes, size_t limit) const;

  // One block of a file.
  LocatedBlock LocateBlock(const FileBlock& entry) const;

  // Its replicas on nodes that are there, or in maintenance.
  std::vector<ReplicaReport> ReplicasOf(BlockId id) const;

  NodeAddress AddressOf(NodeNumber number) const;

 private:
  const KeyValueStore& store_;
  const BlockMap& blocks_;
  const NodeTable& nodes_;
};

}  // namespace slipstream::dfs::master
