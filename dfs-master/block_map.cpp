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

bool BlockMap::IsGood(const Replica& replica) const {
  return !replica.is_bad && counted_.contains(replica.node);
}

uint32_t BlockMap::CountGood(const Entry& entry) const {
  auto is_good = [this](const Replica& replica) { return IsGood(replica); };
  return static_cast<uint32_t>(
      std::count_if(entry.replicas.begin(), entry.replicas.end(), is_good));
}

BlockMap::Standing BlockMap::StandingOf(const Entry& entry) const {
  Standing standing{.good = CountGood(entry)};
  for (const Replica& replica : entry.replicas) {
    if (replica.is_bad) ++standing.bad;
    if (replica.is_confirmed && !replica.is_bad) standing.is_confirmed = true;
  }
  standing.is_under = standing.good > 0 && standing.good < entry.replication;
  standing.is_trimmable = standing.good > entry.replication || standing.bad > 0;
  return standing;
}

void BlockMap::Enter(const Entry& entry) {
  Standing standing = StandingOf(entry);
  counts_.bad_replicas += standing.bad;
  if (standing.good == 0) ++counts_.missing;
  if (entry.is_committed && !standing.is_confirmed) ++counts_.unconfirmed;
  if (standing.is_under) under_.emplace(standing.good, entry.block.id);
  if (standing.is_trimmable) trimmable_.insert(entry.block.id);
}

void BlockMap::Leave(const Entry& entry) {
  Standing standing = StandingOf(entry);
  counts_.bad_replicas -= standing.bad;
  if (standing.good == 0) --counts_.missing;
  if (entry.is_committed && !standing.is_confirmed) --counts_.unconfirmed;
  if (standing.is_under) under_.erase({standing.good, entry.block.id});
  if (standing.is_trimmable) trimmable_.erase(entry.block.id);
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

void BlockMap::SetCounted(NodeNumber node, bool is_counted) {
  if (counted_.contains(node) == is_counted) return;
  std::vector<Entry*> affected;
  for (auto& [id, entry] : entries_) {
    if (FindReplica(entry, node) != nullptr) affected.push_back(&entry);
  }
  for (const Entry* entry : affected)
    Leave(*entry);
  if (is_counted) {
    counted_.insert(node);
  } else {
    counted_.erase(node);
  }
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
