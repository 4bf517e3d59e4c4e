#include "dfs-master/repair_planner.h"

#include <algorithm>
#include <tuple>

namespace slipstream::dfs::master {
namespace {

constexpr size_t kVerifiesQueuedMax = 1'000;
constexpr uint64_t kFreeBytesStep = uint64_t{1} << 30;

}  // namespace

RepairPlanner::RepairPlanner(const Options& options,
                             const NodeTable& nodes,
                             const BlockMap& blocks,
                             ReplicaPlacer& placer)
    : options_(options), nodes_(nodes), blocks_(blocks), placer_(placer) {}

bool RepairPlanner::IsLive(NodeNumber number) const {
  const Node* node = nodes_.Find(number);
  return node != nullptr && node->is_registered() && node->state == NodeState::kLive;
}

void RepairPlanner::Plan(const IsCollected& is_collected, const Now& now) {
  ExpireCommands(now);
  size_t examined = 0;
  for (const auto& [good, id] : blocks_.under_replicated()) {
    if (++examined > options_.blocks_per_plan_max) break;
    PlanCopy(id, now);
  }
  examined = 0;
  for (BlockId id : blocks_.trimmable()) {
    if (++examined > options_.blocks_per_plan_max) break;
    PlanTrim(id, now);
  }
  PlanGarbage(is_collected, now);
}

void RepairPlanner::ExpireCommands(const Now& now) {
  for (auto it = copies_.begin(); it != copies_.end();) {
    auto next = std::next(it);
    const BlockMap::Entry* entry = blocks_.Find(it->first);
    if (it->second.deadline <= now.steady || entry == nullptr) EndCopy(it);
    it = next;
  }
  std::erase_if(deletes_, [&](const auto& entry) { return entry.second <= now.steady; });
}

void RepairPlanner::PlanCopy(BlockId id, const Now& now) {
  if (copies_.contains(id)) return;
  const BlockMap::Entry* entry = blocks_.Find(id);
  if (entry == nullptr) return;
  std::optional<NodeNumber> source = ChooseSource(*entry);
  if (!source.has_value()) return;
  std::optional<NodeNumber> target = ChooseTarget(*entry);
  if (!target.has_value()) return;
  const uint64_t bytes = entry->block.stored_bytes;
  copies_[id] = {.source = *source,
                 .target = *target,
                 .bytes = bytes,
                 .deadline = now.steady + options_.command_timeout};
  for (CopyLoad* load : {&load_by_source_[*source], &load_by_target_[*target]}) {
    ++load->copies;
    load->bytes += bytes;
  }
  commands_[*source].push_back(
      {.kind = NodeCommand::Kind::kCopy, .block = entry->block, .target = *target});
}

std::optional<NodeNumber> RepairPlanner::ChooseSource(const BlockMap::Entry& entry) const {
  std::optional<NodeNumber> best;
  uint64_t best_bytes = 0;
  for (NodeNumber node : SoundHolders(entry)) {
    auto it = load_by_source_.find(node);
    CopyLoad load = it == load_by_source_.end() ? CopyLoad{} : it->second;
    if (IsBusy(load) || (best.has_value() && load.bytes >= best_bytes)) continue;
    best = node;
    best_bytes = load.bytes;
  }
  return best;
}

bool RepairPlanner::IsBusy(const CopyLoad& load) const {
  return load.copies >= options_.copies_per_node_max ||
         load.bytes >= options_.copy_bytes_per_node_max;
}

std::vector<NodeNumber> RepairPlanner::SoundHolders(const BlockMap::Entry& entry) const {
  std::vector<NodeNumber> holders;
  for (const BlockMap::Replica& replica : entry.replicas) {
    if (replica.is_confirmed && !replica.is_bad && IsLive(replica.node) &&
        !IsBeingDeleted(replica.node, entry.block.id)) {
      holders.push_back(replica.node);
    }
  }
  return holders;
}

std::optional<NodeNumber> RepairPlanner::ChooseTarget(const BlockMap::Entry& entry) {
  ReplicaPlacer::Request request{
      .count = 1, .bytes = entry.block.stored_bytes, .excluded = {}, .present = {}};
  std::vector<NodeNumber> bad;
  for (const BlockMap::Replica& replica : entry.replicas) {
    if (blocks_.IsGood(replica)) {
      request.present.push_back(replica.node);
    } else {
      bad.push_back(replica.node);
    }
  }
  for (const auto& [node, load] : load_by_target_) {
    if (IsBusy(load)) request.excluded.push_back(node);
  }
  for (const auto& [key, deadline] : deletes_) {
    if (key.second == entry.block.id) request.excluded.push_back(key.first);
  }
  // A node whose replica is bad gets a good one only where there is no other node.
  size_t excluded_always = request.excluded.size();
  request.excluded.insert(request.excluded.end(), bad.begin(), bad.end());
  std::vector<NodeNumber> picked = placer_.Pick(nodes_, request);
  if (picked.empty() && !bad.empty()) {
    request.excluded.resize(excluded_always);
    picked = placer_.Pick(nodes_, request);
  }
  if (picked.empty()) return std::nullopt;
  return picked.front();
}

void RepairPlanner::PlanTrim(BlockId id, const Now& now) {
  const BlockMap::Entry* entry = blocks_.Find(id);
  if (entry == nullptr || copies_.contains(id)) return;
  std::vector<NodeNumber> sound = SoundHolders(*entry);
  if (sound.size() < std::max<size_t>(entry->replication, 1)) return;
  for (const BlockMap::Replica& replica : entry->replicas) {
    if (replica.is_bad && IsLive(replica.node)) Delete(replica.node, id, now);
  }
  while (sound.size() > std::max<size_t>(entry->replication, 1)) {
    NodeNumber victim = ChooseVictim(id, sound);
    Delete(victim, id, now);
    std::erase(sound, victim);
  }
}

NodeNumber RepairPlanner::ChooseVictim(BlockId id, const std::vector<NodeNumber>& holders) const {
  auto shares_domain = [&](const Node& node) {
    return std::count_if(holders.begin(), holders.end(), [&](NodeNumber other) {
             return nodes_.Find(other)->failure_domain() == node.failure_domain();
           }) > 1;
  };
  auto rank = [&](NodeNumber number) {
    const Node& node = *nodes_.Find(number);
    // Nodes about as full as one another take turns, block by block.
    return std::make_tuple(!shares_domain(node),
                           node.load.free_bytes / kFreeBytesStep,
                           (number + id) % holders.size(),
                           number);
  };
  auto is_better_victim = [&](NodeNumber left, NodeNumber right) {
    return rank(left) < rank(right);
  };
  return *std::min_element(holders.begin(), holders.end(), is_better_victim);
}

void RepairPlanner::PlanGarbage(const IsCollected& is_collected, const Now& now) {
  size_t deleted = 0;
  for (const auto& [id, strays] : blocks_.strays()) {
    if (deleted >= options_.blocks_per_plan_max) return;
    if (!is_collected(id)) continue;
    for (const BlockMap::Stray& stray : strays) {
      if (!IsLive(stray.node) || IsBeingDeleted(stray.node, id)) continue;
      Delete(stray.node, id, now);
      ++deleted;
    }
  }
}

void RepairPlanner::Delete(NodeNumber node, BlockId id, const Now& now) {
  bool is_new =
      deletes_.emplace(std::make_pair(node, id), now.steady + options_.command_timeout).second;
  if (!is_new) return;
  commands_[node].push_back({.kind = NodeCommand::Kind::kDelete, .block = {.id = id}});
}

bool RepairPlanner::Verify(NodeNumber node, BlockId id) {
  std::deque<NodeCommand>& commands = commands_[node];
  if (commands.size() >= kVerifiesQueuedMax) return false;
  bool is_queued = std::any_of(commands.begin(), commands.end(), [&](const NodeCommand& command) {
    return command.kind == NodeCommand::Kind::kVerify && command.block.id == id;
  });
  if (!is_queued) commands.push_back({.kind = NodeCommand::Kind::kVerify, .block = {.id = id}});
  return true;
}

void RepairPlanner::Settle(NodeNumber node, BlockId id) {
  deletes_.erase({node, id});
  auto copy = copies_.find(id);
  if (copy != copies_.end() && copy->second.target == node) EndCopy(copy);
}

void RepairPlanner::Forget(NodeNumber node) {
  commands_.erase(node);
  std::erase_if(deletes_, [&](const auto& entry) { return entry.first.first == node; });
  for (auto it = copies_.begin(); it != copies_.end();) {
    auto next = std::next(it);
    if (it->second.source == node || it->second.target == node) EndCopy(it);
    it = next;
  }
}

void RepairPlanner::EndCopy(std::map<BlockId, Copy>::iterator copy) {
  for (CopyLoad* load :
       {&load_by_source_[copy->second.source], &load_by_target_[copy->second.target]}) {
    --load->copies;
    load->bytes -= copy->second.bytes;
  }
  copies_.erase(copy);
}

// A command may have waited while its node was silent, and what made it safe may have passed.
bool RepairPlanner::IsStillDue(NodeNumber node, const NodeCommand& command) const {
  const BlockMap::Entry* entry = blocks_.Find(command.block.id);
  if (command.kind == NodeCommand::Kind::kCopy) return copies_.contains(command.block.id);
  if (command.kind == NodeCommand::Kind::kVerify) return true;
  if (!IsBeingDeleted(node, command.block.id)) return false;
  // Not a block any more: its id is collected, for good.
  if (entry == nullptr) return true;
  return SoundHolders(*entry).size() >= std::max<size_t>(entry->replication, 1);
}

std::vector<NodeCommand> RepairPlanner::TakeCommands(NodeNumber node) {
  std::vector<NodeCommand> taken;
  auto it = commands_.find(node);
  if (it == commands_.end()) return taken;
  std::deque<NodeCommand>& commands = it->second;
  while (!commands.empty() && taken.size() < options_.commands_per_heartbeat_max) {
    if (IsStillDue(node, commands.front())) taken.push_back(commands.front());
    commands.pop_front();
  }
  return taken;
}

}  // namespace slipstream::dfs::master
