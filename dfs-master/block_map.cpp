#include "dfs-master/block_map.h"

#include <algorithm>

namespace slipstream::dfs::master {
namespace {

// How long a writer's word stands against reports without it, and how many removals of a node are
// remembered for reports older than they are.
constexpr std::chrono::minutes kAcknowledgementTrusted{1};
constexpr size_t kRemovalsMax = 100'000;

}  // namespace

// Entered entries are counted; so every change takes the entry out first and puts it back after.
class BlockMap::Change final {
 public:
  Change(BlockMap& map, Entry& entry) : map_(map), entry_(entry) { map_.Leave(entry_); }
  ~Change() { map_.Enter(entry_); }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

 private:
  BlockMap& map_;
  Entry& entry_;
};

const BlockMap::Presence& BlockMap::PresenceOf(NodeNumber node) const {
  static constexpr Presence kNeverThere;
  return node < presence_.size() ? presence_[node] : kNeverThere;
}

bool BlockMap::IsGood(const Replica& replica) const {
  return !replica.is_bad && PresenceOf(replica.node).is_there;
}

BlockMap::Tally BlockMap::Count(const Entry& entry) const {
  Tally tally;
  for (const Replica& replica : entry.replicas) {
    if (replica.is_bad) {
      ++tally.bad;
      continue;
    }
    const Presence& presence = PresenceOf(replica.node);
    if (presence.is_there) ++tally.good;
    if (presence.service == NodeService::kMaintenance) {
      ++tally.resting;
    } else if (presence.is_there) {
      ++(presence.is_leaving() ? tally.leaving : tally.in_service);
    }
  }
  return tally;
}

BlockMap::Standing BlockMap::StandingOf(const Entry& entry) const {
  Standing standing{.tally = Count(entry)};
  for (const Replica& replica : entry.replicas) {
    if (replica.is_confirmed && !replica.is_bad) standing.is_confirmed = true;
  }
  const Tally& tally = standing.tally;
  standing.is_under = tally.good > 0 && tally.counted() < entry.replication;
  standing.is_trimmable = tally.in_service > entry.replication || tally.bad > 0;
  return standing;
}

void BlockMap::Enter(const Entry& entry) {
  Standing standing = StandingOf(entry);
  counts_.bad_replicas += standing.tally.bad;
  if (standing.tally.good == 0) ++counts_.missing;
  if (entry.is_committed && !standing.is_confirmed) ++counts_.unconfirmed;
  if (standing.is_under) under_.emplace(standing.tally.good, entry.block.id);
  if (standing.is_trimmable) trimmable_.insert(entry.block.id);
  CountToMove(entry, standing, true);
}

void BlockMap::Leave(const Entry& entry) {
  Standing standing = StandingOf(entry);
  counts_.bad_replicas -= standing.tally.bad;
  if (standing.tally.good == 0) --counts_.missing;
  if (entry.is_committed && !standing.is_confirmed) --counts_.unconfirmed;
  if (standing.is_under) under_.erase({standing.tally.good, entry.block.id});
  if (standing.is_trimmable) trimmable_.erase(entry.block.id);
  CountToMove(entry, standing, false);
}

void BlockMap::CountToMove(const Entry& entry, const Standing& standing, bool is_entering) {
  const uint32_t counted = standing.tally.counted();
  if (leaving_nodes_ == 0 || counted >= entry.replication) return;
  for (const Replica& replica : entry.replicas) {
    if (replica.is_bad || !PresenceOf(replica.node).is_leaving()) continue;
    uint64_t& count = memory_[replica.node].to_move[{counted, entry.replication}];
    is_entering ? ++count : --count;
  }
}

uint64_t BlockMap::BlocksToMove(NodeNumber node, uint32_t enough) const {
  auto it = memory_.find(node);
  if (it == memory_.end()) return 0;
  uint64_t blocks = 0;
  for (const auto& [standing, count] : it->second.to_move) {
    const auto& [counted, wanted] = standing;
    if (counted < std::min(wanted, enough)) blocks += count;
  }
  return blocks;
}

void BlockMap::Load(const FileBlock& block, bool is_committed) {
  Entry entry{.block = block.block,
              .replication = static_cast<uint8_t>(block.replication),
              .is_committed = is_committed};
  entry.first_holders.assign(block.first_holders.begin(), block.first_holders.end());
  auto [it, is_new] = entries_.emplace(block.block.id, std::move(entry));
  if (is_new) Enter(it->second);
}

void BlockMap::Prepare(const FileBlock& block, const Now& now) {
  Load(block, false);
  Entry& entry = entries_.at(block.block.id);
  Change change(*this, entry);
  for (NodeNumber node : block.first_holders) {
    FindOrAddReplica(entry, node);
    memory_[node].acknowledged_at.insert_or_assign(block.block.id, now.steady);
  }
  // Nodes mostly report a block before its writer prepares it.
  auto it = strays_.find(block.block.id);
  if (it == strays_.end()) return;
  for (const Stray& stray : it->second) {
    Confirm(entry, stray.block, stray.sequence, FindOrAddReplica(entry, stray.node));
    memory_[stray.node].acknowledged_at.erase(block.block.id);
  }
  strays_.erase(it);
}

void BlockMap::Confirm(const Entry& entry,
                       const Block& block,
                       uint64_t sequence,
                       Replica& replica) {
  replica.sequence = sequence;
  replica.is_confirmed = true;
  replica.is_bad = block != entry.block;
}

void BlockMap::Commit(BlockId id) {
  auto it = entries_.find(id);
  if (it == entries_.end()) return;
  Change change(*this, it->second);
  it->second.is_committed = true;
}

void BlockMap::Discard(BlockId id) {
  auto it = entries_.find(id);
  if (it == entries_.end()) return;
  Leave(it->second);
  for (const Replica& replica : it->second.replicas) {
    --memory_[replica.node].replicas;
    AddStray({.node = replica.node, .block = it->second.block, .sequence = replica.sequence});
  }
  entries_.erase(it);
}

void BlockMap::SetPresence(NodeNumber node, const Presence& presence) {
  const Presence before = PresenceOf(node);
  if (before == presence) return;
  std::vector<Entry*> affected;
  for (auto& [id, entry] : entries_) {
    if (FindReplica(entry, node) != nullptr) affected.push_back(&entry);
  }
  for (const Entry* entry : affected)
    Leave(*entry);
  if (node >= presence_.size()) presence_.resize(size_t{node} + 1);
  presence_[node] = presence;
  leaving_nodes_ += static_cast<uint32_t>(presence.is_leaving());
  leaving_nodes_ -= static_cast<uint32_t>(before.is_leaving());
  for (const Entry* entry : affected)
    Enter(*entry);
}

void BlockMap::BeginSession(NodeNumber node) {
  NodeMemory& memory = memory_[node];
  memory.removed_at.clear();
  memory.forgotten_up_to = 0;
  if (memory.replicas == 0) return;
  for (auto& [id, entry] : entries_) {
    Replica* replica = FindReplica(entry, node);
    if (replica == nullptr) continue;
    Change change(*this, entry);
    replica->is_confirmed = false;
    replica->sequence = 0;
  }
}

void BlockMap::Added(NodeNumber node, const Block& block, uint64_t sequence) {
  NodeMemory& memory = memory_[node];
  if (auto it = memory.removed_at.find(block.id); it != memory.removed_at.end()) {
    if (it->second > sequence) return;
    memory.removed_at.erase(it);
  }
  auto it = entries_.find(block.id);
  if (it == entries_.end()) {
    AddStray({.node = node, .block = block, .sequence = sequence});
    return;
  }
  Entry& entry = it->second;
  Change change(*this, entry);
  Replica& replica = FindOrAddReplica(entry, node);
  if (replica.sequence > sequence) return;
  Confirm(entry, block, sequence, replica);
  memory.acknowledged_at.erase(block.id);
}

void BlockMap::Removed(NodeNumber node, BlockId id, uint64_t sequence) {
  RemoveStray(id, node);
  NodeMemory& memory = memory_[node];
  memory.acknowledged_at.erase(id);
  memory.removed_at.insert_or_assign(id, sequence);
  if (memory.removed_at.size() > kRemovalsMax) {
    for (const auto& [removed, at] : memory.removed_at) {
      memory.forgotten_up_to = std::max(memory.forgotten_up_to, at);
    }
    memory.removed_at.clear();
  }
  auto it = entries_.find(id);
  if (it == entries_.end()) return;
  Change change(*this, it->second);
  RemoveReplica(it->second, node);
}

void BlockMap::Corrupt(NodeNumber node, BlockId id, uint64_t sequence) {
  auto it = entries_.find(id);
  if (it == entries_.end()) {
    AddStray({.node = node, .block = {.id = id}, .sequence = sequence});
    return;
  }
  Change change(*this, it->second);
  Replica& replica = FindOrAddReplica(it->second, node);
  replica.sequence = std::max(replica.sequence, sequence);
  replica.is_confirmed = true;
  replica.is_bad = true;
}

bool BlockMap::FullReport(NodeNumber node,
                          std::span<const Block> replicas,
                          uint64_t sequence,
                          const Now& now) {
  NodeMemory& memory = memory_[node];
  if (sequence < memory.forgotten_up_to) return false;
  absl::flat_hash_set<BlockId> reported;
  reported.reserve(replicas.size());
  for (const Block& block : replicas) {
    reported.insert(block.id);
    Added(node, block, sequence);
  }
  RemoveUnreported(node, reported, sequence, now);
  std::erase_if(memory_[node].removed_at, [&](const auto& e) { return e.second <= sequence; });
  return true;
}

void BlockMap::RemoveUnreported(NodeNumber node,
                                const absl::flat_hash_set<BlockId>& reported,
                                uint64_t sequence,
                                const Now& now) {
  auto& acknowledged_at = memory_[node].acknowledged_at;
  absl::erase_if(acknowledged_at, [&](const auto& entry) {
    return now.steady - entry.second > kAcknowledgementTrusted;
  });
  for (auto& [id, entry] : entries_) {
    Replica* replica = FindReplica(entry, node);
    if (replica == nullptr || replica->sequence > sequence) continue;
    if (reported.contains(id) || acknowledged_at.contains(id)) continue;
    Change change(*this, entry);
    RemoveReplica(entry, node);
  }
  std::vector<BlockId> gone;
  for (const auto& [id, strays] : strays_) {
    for (const Stray& stray : strays) {
      bool is_of_node = stray.node == node && stray.sequence <= sequence;
      if (is_of_node && !reported.contains(id)) gone.push_back(id);
    }
  }
  for (BlockId id : gone)
    RemoveStray(id, node);
}

std::optional<BlockMap::Entry> BlockMap::Find(BlockId id) const {
  auto it = entries_.find(id);
  return it == entries_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<BlockMap::Scarce> BlockMap::UnderReplicated(Scarce after, size_t limit) const {
  std::vector<Scarce> blocks;
  for (auto it = under_.upper_bound(after); it != under_.end() && blocks.size() < limit; ++it)
    blocks.push_back(*it);
  return blocks;
}

std::vector<BlockId> BlockMap::Trimmable(BlockId after, size_t limit) const {
  std::vector<BlockId> blocks;
  auto it = trimmable_.upper_bound(after);
  for (; it != trimmable_.end() && blocks.size() < limit; ++it)
    blocks.push_back(*it);
  return blocks;
}

std::vector<BlockId> BlockMap::LiveIds(BlockIdRange range) const {
  std::vector<BlockId> ids;
  if (range.count <= entries_.size()) {
    for (BlockId id = range.first; id < range.end(); ++id) {
      if (Contains(id)) ids.push_back(id);
    }
    return ids;
  }
  for (const auto& [id, entry] : entries_) {
    if (id >= range.first && id < range.end()) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<BlockId> BlockMap::Missing(size_t limit) const {
  std::vector<BlockId> ids;
  for (const auto& [id, entry] : entries_) {
    if (ids.size() == limit) break;
    if (CountGood(entry) == 0) ids.push_back(id);
  }
  return ids;
}

BlockMap::Counts BlockMap::counts() const {
  Counts counts = counts_;
  counts.under_replicated = under_.size();
  return counts;
}

uint64_t BlockMap::replica_count(NodeNumber node) const {
  auto it = memory_.find(node);
  return it == memory_.end() ? 0 : it->second.replicas;
}

BlockMap::Replica* BlockMap::FindReplica(Entry& entry, NodeNumber node) const {
  auto it = std::find_if(entry.replicas.begin(), entry.replicas.end(), [&](const Replica& replica) {
    return replica.node == node;
  });
  return it == entry.replicas.end() ? nullptr : &*it;
}

BlockMap::Replica& BlockMap::FindOrAddReplica(Entry& entry, NodeNumber node) {
  if (Replica* replica = FindReplica(entry, node); replica != nullptr) return *replica;
  ++memory_[node].replicas;
  return entry.replicas.emplace_back(Replica{.node = node});
}

void BlockMap::RemoveReplica(Entry& entry, NodeNumber node) {
  Replica* replica = FindReplica(entry, node);
  if (replica == nullptr) return;
  --memory_[node].replicas;
  entry.replicas.erase(entry.replicas.begin() + (replica - entry.replicas.data()));
}

void BlockMap::AddStray(const Stray& stray) {
  Strays& strays = strays_[stray.block.id];
  for (Stray& known : strays) {
    if (known.node != stray.node) continue;
    if (known.sequence <= stray.sequence) known = stray;
    return;
  }
  strays.push_back(stray);
}

void BlockMap::RemoveStray(BlockId id, NodeNumber node) {
  auto it = strays_.find(id);
  if (it == strays_.end()) return;
  Strays& strays = it->second;
  strays.erase(
      std::remove_if(
          strays.begin(), strays.end(), [&](const Stray& stray) { return stray.node == node; }),
      strays.end());
  if (strays.empty()) strays_.erase(it);
}

}  // namespace slipstream::dfs::master
