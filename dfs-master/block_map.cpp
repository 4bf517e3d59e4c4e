#include "dfs-master/block_map.h"

#include <algorithm>
#include <limits>

namespace slipstream::dfs::master {
namespace {

// How long a writer's word stands against reports without it.
constexpr std::chrono::minutes kAcknowledgementTrusted{1};
// How many of a node's changes are remembered for reports older than they are.
constexpr size_t kChangesMax = 200'000;

bool IsOld(SteadyTime acknowledged_at, const Now& now) {
  return now.steady - acknowledged_at > kAcknowledgementTrusted;
}

}  // namespace

// Entered entries are counted; so every change takes the entry out first and puts it back after.
class BlockMap::Change final {
 public:
  Change(BlockMap& map, Entry& entry) : map_(map), entry_(entry) { map_.Leave(entry_); }
  ~Change() {
    map_.Enter(entry_);
    map_.table_.Put(entry_);
  }
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

const BlockMap::Presence& BlockMap::EnteredAs(NodeNumber node, BlockId id) const {
  if (!following_.empty()) {
    auto it = following_.find(node);
    if (it != following_.end() && id >= it->second.followed_to) {
      for (const auto& before : it->second.before) {
        if (id < before.end) return before.presence;
      }
    }
  }
  return PresenceOf(node);
}

template <class PresenceOfNode>
BlockMap::Tally BlockMap::CountBy(const Entry& entry, PresenceOfNode presence_of) {
  Tally tally;
  for (const Replica& replica : entry.replicas) {
    const Presence& presence = presence_of(replica.node);
    if (replica.is_bad) {
      // On a node that is gone it can neither be read nor deleted: it is as good as no replica.
      if (presence.is_there) ++tally.bad;
      continue;
    }
    if (presence.is_there) ++tally.good;
    if (presence.service == NodeService::kMaintenance) {
      ++tally.resting;
    } else if (presence.is_there) {
      ++(presence.is_leaving() ? tally.leaving : tally.in_service);
    }
  }
  return tally;
}

BlockMap::Tally BlockMap::Count(const Entry& entry) const {
  return CountBy(entry, [this](NodeNumber node) -> const Presence& { return PresenceOf(node); });
}

BlockMap::Standing BlockMap::StandingOf(const Entry& entry) const {
  Standing standing;
  standing.tally = CountBy(
      entry, [&](NodeNumber node) -> const Presence& { return EnteredAs(node, entry.block.id); });
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
  if (standing.tally.good == 0) missing_.Insert(entry.block.id);
  if (entry.is_committed && !standing.is_confirmed) ++counts_.unconfirmed;
  if (standing.is_under) under_[standing.scarcity()].Insert(entry.block.id);
  if (standing.is_trimmable) trimmable_.Insert(entry.block.id);
  CountToMove(entry, standing, true);
}

void BlockMap::Leave(const Entry& entry) {
  Standing standing = StandingOf(entry);
  counts_.bad_replicas -= standing.tally.bad;
  if (standing.tally.good == 0) missing_.Erase(entry.block.id);
  if (entry.is_committed && !standing.is_confirmed) --counts_.unconfirmed;
  if (standing.is_under) under_[standing.scarcity()].Erase(entry.block.id);
  if (standing.is_trimmable) trimmable_.Erase(entry.block.id);
  CountToMove(entry, standing, false);
}

void BlockMap::CountToMove(const Entry& entry, const Standing& standing, bool is_entering) {
  const uint32_t counted = standing.tally.counted();
  if (!has_leaving_nodes_ || counted >= entry.replication) return;
  for (const Replica& replica : entry.replicas) {
    if (replica.is_bad || !EnteredAs(replica.node, entry.block.id).is_leaving()) continue;
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

void BlockMap::Insert(const FileBlock& block, uint8_t replication, bool is_committed) {
  if (Contains(block.block.id)) return;
  const Entry entry{.block = block.block, .replication = replication, .is_committed = is_committed};
  Enter(entry);
  table_.Put(entry);
}

void BlockMap::Load(const FileBlock& block, bool is_committed) {
  auto replication = static_cast<uint8_t>(block.replication);
  if (is_loading_) {
    if (discarded_while_loading_.Contains(block.block.id)) return;
    auto changed = replication_while_loading_.find(block.block.id);
    if (changed != replication_while_loading_.end()) replication = changed->second;
  }
  Insert(block, replication, is_committed);
}

void BlockMap::EndLoad() {
  is_loading_ = false;
  discarded_while_loading_.Clear();
  replication_while_loading_.clear();
}

void BlockMap::Prepare(const FileBlock& block, const Now& now) {
  const BlockId id = block.block.id;
  Insert(block, static_cast<uint8_t>(block.replication), false);
  Entry entry = *Find(id);
  Change change(*this, entry);
  for (NodeNumber node : block.first_holders) {
    const Replica& replica = FindOrAddReplica(entry, node);
    if (!replica.is_confirmed) memory_[node].acknowledged_at.insert_or_assign(id, now.steady);
  }
  // Nodes mostly report a block before its writer prepares it.
  auto it = strays_.find(id);
  if (it == strays_.end()) return;
  for (const Stray& stray : it->second) {
    Confirm(entry, stray.block, FindOrAddReplica(entry, stray.node));
    memory_[stray.node].acknowledged_at.erase(id);
  }
  strays_.erase(it);
}

bool BlockMap::HasOldWord(NodeNumber node, const Now& now) const {
  auto it = memory_.find(node);
  if (it == memory_.end()) return false;
  const auto& acknowledged_at = it->second.acknowledged_at;
  return std::any_of(acknowledged_at.begin(), acknowledged_at.end(), [&](const auto& entry) {
    return IsOld(entry.second, now);
  });
}

void BlockMap::Confirm(const Entry& entry, const Block& block, Replica& replica) {
  replica.is_confirmed = true;
  replica.is_bad = block != entry.block;
}

void BlockMap::Commit(BlockId id) {
  std::optional<Entry> entry = Find(id);
  if (!entry.has_value()) return;
  Change change(*this, *entry);
  entry->is_committed = true;
}

void BlockMap::SetReplication(BlockId id, uint8_t replication) {
  std::optional<Entry> entry = Find(id);
  if (!entry.has_value()) {
    if (is_loading_) replication_while_loading_.insert_or_assign(id, replication);
    return;
  }
  Change change(*this, *entry);
  entry->replication = replication;
}

void BlockMap::Discard(BlockId id) {
  if (is_loading_) discarded_while_loading_.Insert(id);
  const std::optional<Entry> entry = Find(id);
  if (!entry.has_value()) return;
  Leave(*entry);
  for (const Replica& replica : entry->replicas) {
    NodeMemory& memory = memory_[replica.node];
    --memory.replicas;
    memory.acknowledged_at.erase(id);
    auto changed = memory.changed_at.find(id);
    AddStray({.node = replica.node,
              .block = entry->block,
              .sequence = changed == memory.changed_at.end() ? 0 : changed->second});
  }
  table_.Erase(id);
}

void BlockMap::SetPresence(NodeNumber node, const Presence& presence) {
  const Presence before = PresenceOf(node);
  if (before == presence) return;
  if (node >= presence_.size()) presence_.resize(size_t{node} + 1);
  presence_[node] = presence;
  if (replica_count(node) > 0) {
    const auto [it, is_new] = following_.try_emplace(node);
    Following& following = it->second;
    // Of a change that others had not all followed yet, what had goes before what had not.
    const BlockId end = is_new ? std::numeric_limits<BlockId>::max() : following.followed_to;
    following.before.insert(following.before.begin(), {.end = end, .presence = before});
    following.followed_to = 0;
  }
  CountLeaving();
  if (!HasFollowed(node)) Follow(node);
}

bool BlockMap::FollowPresence() {
  if (!following_.empty()) Follow(following_.begin()->first);
  return !following_.empty();
}

void BlockMap::Follow(NodeNumber node) {
  Following& following = following_.find(node)->second;
  const std::optional<BlockId> rest =
      table_.ForSomeOn(node, following.followed_to, kFollowedAtOnceMax, [&](const Entry& entry) {
        Leave(entry);
        following.followed_to = entry.block.id + 1;
        Enter(entry);
      });
  if (rest.has_value()) {
    following.followed_to = *rest;
    std::erase_if(following.before, [&](const auto& before) { return before.end <= *rest; });
    return;
  }
  following_.erase(node);
  CountLeaving();
}

void BlockMap::CountLeaving() {
  auto is_leaving = [](const auto& presence) { return presence.is_leaving(); };
  has_leaving_nodes_ =
      std::any_of(presence_.begin(), presence_.end(), is_leaving) ||
      std::any_of(following_.begin(), following_.end(), [&](const auto& entry) {
        return std::any_of(entry.second.before.begin(),
                           entry.second.before.end(),
                           [&](const auto& before) { return is_leaving(before.presence); });
      });
}

bool BlockMap::BeginSession(NodeNumber node, BlockId& position) {
  NodeMemory& memory = memory_[node];
  if (position == 0) {
    memory.changed_at.clear();
    memory.forgotten_up_to = 0;
    memory.reported_up_to = 0;
    memory.acknowledged_at.clear();
  }
  if (memory.replicas == 0) return false;
  const std::optional<BlockId> rest =
      table_.ForSomeOn(node, position, kFollowedAtOnceMax, [&](Entry entry) {
        Change change(*this, entry);
        FindReplica(entry, node)->is_confirmed = false;
      });
  position = rest.value_or(position);
  return rest.has_value();
}

bool BlockMap::IsOutdated(const NodeMemory& memory, BlockId id, uint64_t sequence) {
  auto it = memory.changed_at.find(id);
  return it != memory.changed_at.end() && it->second > sequence;
}

void BlockMap::Remember(NodeMemory& memory, BlockId id, uint64_t sequence) {
  uint64_t& known = memory.changed_at[id];
  known = std::max(known, sequence);
  if (memory.changed_at.size() <= kChangesMax) return;
  for (const auto& [changed, at] : memory.changed_at)
    memory.forgotten_up_to = std::max(memory.forgotten_up_to, at);
  memory.changed_at.clear();
}

void BlockMap::Added(NodeNumber node, const Block& block, uint64_t sequence) {
  NodeMemory& memory = memory_[node];
  if (IsOutdated(memory, block.id, sequence)) return;
  Remember(memory, block.id, sequence);
  Take(node, block, sequence);
}

void BlockMap::Take(NodeNumber node, const Block& block, uint64_t sequence) {
  std::optional<Entry> entry = Find(block.id);
  if (!entry.has_value()) {
    AddStray({.node = node, .block = block, .sequence = sequence});
    return;
  }
  Change change(*this, *entry);
  Confirm(*entry, block, FindOrAddReplica(*entry, node));
  memory_[node].acknowledged_at.erase(block.id);
}

void BlockMap::Removed(NodeNumber node, BlockId id, uint64_t sequence) {
  RemoveStray(id, node);
  NodeMemory& memory = memory_[node];
  memory.acknowledged_at.erase(id);
  Remember(memory, id, sequence);
  std::optional<Entry> entry = Find(id);
  if (!entry.has_value()) return;
  Change change(*this, *entry);
  RemoveReplica(*entry, node);
}

void BlockMap::Corrupt(NodeNumber node, BlockId id, uint64_t sequence) {
  NodeMemory& memory = memory_[node];
  memory.acknowledged_at.erase(id);
  Remember(memory, id, sequence);
  std::optional<Entry> entry = Find(id);
  if (!entry.has_value()) {
    AddStray({.node = node, .block = {.id = id}, .sequence = sequence});
    return;
  }
  Change change(*this, *entry);
  Replica& replica = FindOrAddReplica(*entry, node);
  replica.is_confirmed = true;
  replica.is_bad = true;
}

bool BlockMap::ReportPart(NodeNumber node,
                          std::span<const Block> replicas,
                          uint64_t sequence,
                          BlockIdSet& reported) {
  const NodeMemory& memory = memory_[node];
  if (sequence < memory.forgotten_up_to) return false;
  if (sequence < memory.reported_up_to) return true;
  for (const Block& block : replicas) {
    reported.Insert(block.id);
    if (!IsOutdated(memory, block.id, sequence)) Take(node, block, sequence);
  }
  return true;
}

BlockMap::ReportEnd BlockMap::EndReport(NodeNumber node,
                                        uint64_t sequence,
                                        const BlockIdSet& reported,
                                        const Now& now,
                                        BlockId& position) {
  NodeMemory& memory = memory_[node];
  if (sequence < memory.forgotten_up_to) return ReportEnd::kForgotten;
  if (sequence < memory.reported_up_to) return ReportEnd::kDone;
  memory.reported_up_to = sequence;
  absl::erase_if(memory.acknowledged_at,
                 [&](const auto& entry) { return IsOld(entry.second, now); });
  const std::optional<BlockId> rest = RemoveUnreported(node, sequence, reported, position);
  if (rest.has_value()) {
    position = *rest;
    return ReportEnd::kHasMore;
  }
  RemoveUnreportedStrays(node, sequence, reported);
  absl::erase_if(memory.changed_at, [&](const auto& entry) { return entry.second <= sequence; });
  return ReportEnd::kDone;
}

std::optional<BlockId> BlockMap::RemoveUnreported(NodeNumber node,
                                                  uint64_t sequence,
                                                  const BlockIdSet& reported,
                                                  BlockId begin) {
  const NodeMemory& memory = memory_[node];
  return table_.ForSomeOn(node, begin, kFollowedAtOnceMax, [&](Entry entry) {
    const BlockId id = entry.block.id;
    const bool is_kept = reported.Contains(id) || memory.acknowledged_at.contains(id) ||
                         IsOutdated(memory, id, sequence);
    if (is_kept) return;
    Change change(*this, entry);
    RemoveReplica(entry, node);
  });
}

void BlockMap::RemoveUnreportedStrays(NodeNumber node,
                                      uint64_t sequence,
                                      const BlockIdSet& reported) {
  std::vector<BlockId> gone;
  for (const auto& [id, strays] : strays_) {
    for (const Stray& stray : strays) {
      bool is_of_node = stray.node == node && stray.sequence <= sequence;
      if (is_of_node && !reported.Contains(id)) gone.push_back(id);
    }
  }
  for (BlockId id : gone)
    RemoveStray(id, node);
}

std::vector<BlockMap::Scarce> BlockMap::UnderReplicated(Scarce after, size_t limit) const {
  std::vector<Scarce> blocks;
  for (size_t good = after.first; good < under_.size() && blocks.size() < limit; ++good) {
    const BlockId above = good == after.first ? after.second : 0;
    for (BlockId id : under_[good].Above(above, limit - blocks.size()))
      blocks.emplace_back(static_cast<uint32_t>(good), id);
  }
  return blocks;
}

BlockMap::Counts BlockMap::counts() const {
  Counts counts = counts_;
  counts.missing = missing_.size();
  for (const BlockIdSet& blocks : under_)
    counts.under_replicated += blocks.size();
  return counts;
}

uint64_t BlockMap::replica_count(NodeNumber node) const {
  auto it = memory_.find(node);
  return it == memory_.end() ? 0 : it->second.replicas;
}

BlockMap::Replica* BlockMap::FindReplica(Entry& entry, NodeNumber node) {
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
