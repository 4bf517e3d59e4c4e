#include "dfs-master/block_locator.h"

#include <algorithm>
#include <utility>

#include "dfs-master/codec.h"

namespace slipstream::dfs::master {

Result<BlockLocator::Range> BlockLocator::Locate(InodeId file,
                                                 uint64_t offset_bytes,
                                                 uint64_t end_bytes,
                                                 size_t limit) const {
  Range range{.first_block_offset_bytes = offset_bytes, .blocks = {}};
  if (offset_bytes >= end_bytes) return range;
  // Where the file begins there is a block. Looking for one backwards takes twice the scan.
  std::string begin = FileBlockKey(file, 0);
  if (offset_bytes > 0) {
    ASSIGN_OR_RETURN(
        std::optional<KeyValueStore::Entry> first,
        store_.FindLast(Table::kFileBlocks, begin, FileBlockKey(file, offset_bytes + 1)));
    if (first.has_value()) begin = std::move(first->key);
  }
  range.first_block_offset_bytes = ReadBigEndian(begin, sizeof(InodeId));
  Status damage;
  RETURN_IF_ERROR(store_.Scan(Table::kFileBlocks,
                              begin,
                              FileBlockKey(file, end_bytes),
                              [&](std::string_view key, std::string_view value) {
                                if (range.blocks.empty() && key != begin) return false;
                                FileBlock entry;
                                damage = Decode(value, entry);
                                if (damage.ok()) range.blocks.push_back(LocateBlock(entry));
                                return damage.ok() && range.blocks.size() < limit;
                              }));
  RETURN_IF_ERROR(damage);
  if (range.blocks.empty()) return DataLoss("inode=" + std::to_string(file) + " lacks its blocks");
  return range;
}

LocatedBlock BlockLocator::LocateBlock(const FileBlock& entry) const {
  LocatedBlock located{.block = entry.block,
                       .length_bytes = entry.length_bytes(),
                       .nodes = {},
                       .missing_node_ids = {}};
  std::vector<NodeNumber> stale;
  std::vector<NodeNumber> gone;
  const std::optional<BlockMap::Entry> known = blocks_.Find(entry.block.id);
  for (const BlockMap::Replica& replica :
       known.has_value() ? known->replicas : BlockMap::Replicas()) {
    const Node* node = nodes_.Find(replica.node);
    bool is_usable = node != nullptr && node->is_registered() && blocks_.IsGood(replica);
    if (!is_usable) {
      if (!replica.is_bad) gone.push_back(replica.node);
    } else if (node->state == NodeState::kLive) {
      located.nodes.push_back(AddressOf(replica.node));
    } else {
      stale.push_back(replica.node);
    }
  }
  // Readers of many blocks are spread over the holders.
  if (!located.nodes.empty()) {
    auto turn = static_cast<ptrdiff_t>(entry.block.id % located.nodes.size());
    std::rotate(located.nodes.begin(), located.nodes.begin() + turn, located.nodes.end());
  }
  for (NodeNumber number : stale)
    located.nodes.push_back(AddressOf(number));
  if (!located.nodes.empty()) return located;
  // Without anybody who was there since this master started, those who had it first.
  if (gone.empty()) gone = entry.first_holders;
  for (NodeNumber number : gone)
    located.missing_node_ids.push_back(AddressOf(number).node_id);
  return located;
}

namespace {

ReplicaState StateOf(const Node& node, const BlockMap::Replica& replica) {
  switch (node.service) {
    case NodeService::kDecommissioning:
      return ReplicaState::kDecommissioning;
    case NodeService::kDecommissioned:
      return ReplicaState::kDecommissioned;
    case NodeService::kMaintenance:
      return ReplicaState::kInMaintenance;
    case NodeService::kInService:
      break;
  }
  if (replica.is_bad) return ReplicaState::kCorrupt;
  if (node.state != NodeState::kLive) return ReplicaState::kStaleNode;
  return replica.is_confirmed ? ReplicaState::kLive : ReplicaState::kUnconfirmed;
}

}  // namespace

std::vector<ReplicaReport> BlockLocator::ReplicasOf(BlockId id) const {
  std::vector<ReplicaReport> reports;
  const std::optional<BlockMap::Entry> known = blocks_.Find(id);
  if (!known.has_value()) return reports;
  for (const BlockMap::Replica& replica : known->replicas) {
    const Node* node = nodes_.Find(replica.node);
    if (node == nullptr) continue;
    if (!node->is_there() && node->service != NodeService::kMaintenance) continue;
    reports.push_back({.node = AddressOf(replica.node),
                       .host = node->host(),
                       .rack = node->rack(),
                       .state = StateOf(*node, replica)});
  }
  return reports;
}

NodeAddress BlockLocator::AddressOf(NodeNumber number) const {
  const Node* node = nodes_.Find(number);
  if (node == nullptr) return {};
  return {.node_id = node->registration.node_id, .address = node->registration.address};
}

}  // namespace slipstream::dfs::master
