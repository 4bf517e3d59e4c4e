#include "dfs-master/repair_planner.h"

#include <algorithm>
#include <string>
#include <tuple>

namespace slipstream::dfs::master {
namespace {

constexpr size_t kVerifiesQueuedMax = 2'000;
constexpr uint64_t kFreeBytesStep = uint64_t{1} << 30;
// With so many writes under way a node copies half as much as an idle one.
constexpr double kWritesHalving = 4;
// Of what copies may take.
constexpr double kMovesPart = 0.5;

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

bool RepairPlanner::IsServing(NodeNumber number) const {
  const Node* node = nodes_.Find(number);
  return node != nullptr && node->is_serving();
}

void RepairPlanner::Plan(const IsCollected& is_collected, const Now& now) {
  ExpireCommands(now);
  PlanCopies(now);
  PlanTrims();
  PlanGarbage(is_collected);
}

void RepairPlanner::PlanCopies(const Now& now) {
  // Half of the round is for the scarcest, whose turn it is always; the other half goes round.
  const size_t share = std::max<size_t>(options_.blocks_per_plan_max / 2, 1);
  for (const BlockMap::Scarce& scarce : blocks_.UnderReplicated({}, share))
    PlanCopy(scarce.second, now);
  const std::vector<BlockMap::Scarce> next = blocks_.UnderReplicated(copy_cursor_, share);
  for (const BlockMap::Scarce& scarce : next)
    PlanCopy(scarce.second, now);
  copy_cursor_ = next.size() < share ? BlockMap::Scarce{} : next.back();
}

void RepairPlanner::PlanTrims() {
  const size_t limit = std::max<size_t>(options_.blocks_per_plan_max, 1);
  const std::vector<BlockId> next = blocks_.Trimmable(trim_cursor_, limit);
  for (BlockId id : next)
    PlanTrim(id);
  trim_cursor_ = next.size() < limit ? 0 : next.back();
}

void RepairPlanner::ExpireCommands(const Now& now) {
  for (auto it = copies_.begin(); it != copies_.end();) {
    auto next = std::next(it);
    const std::optional<BlockMap::Entry> entry = blocks_.Find(it->first);
    if (it->second.deadline <= now.steady || !entry.has_value()) EndCopy(it);
    it = next;
  }
  std::erase_if(moves_, [&](const auto& entry) { return entry.second.deadline <= now.steady; });
  for (auto& [key, deletion] : deletes_) {
    const auto& [node, id] = key;
    if (deletion.is_queued || deletion.deadline > now.steady || !HasRoom(node)) continue;
    deletion.is_queued = true;
    commands_[node].push_back({.kind = NodeCommand::Kind::kDelete, .block = {.id = id}});
  }
}

void RepairPlanner::PlanCopy(BlockId id, const Now& now) {
  if (copies_.contains(id)) return;
  const std::optional<BlockMap::Entry> entry = blocks_.Find(id);
  if (!entry.has_value()) return;
  std::optional<NodeNumber> source = ChooseSource(*entry);
  if (!source.has_value()) return;
  std::optional<NodeNumber> target = ChooseTarget(*entry);
  if (!target.has_value()) return;
  BeginCopy(entry->block, *source, *target, now);
}

void RepairPlanner::BeginCopy(const Block& block,
                              NodeNumber source,
                              NodeNumber target,
                              const Now& now) {
  copies_[block.id] = {.source = source,
                       .target = target,
                       .bytes = block.stored_bytes,
                       .deadline = now.steady + options_.command_timeout};
  for (CopyLoad* load : {&load_by_source_[source], &load_by_target_[target]}) {
    ++load->copies;
    load->bytes += block.stored_bytes;
  }
  commands_[source].push_back({.kind = NodeCommand::Kind::kCopy, .block = block, .target = target});
}

std::optional<NodeNumber> RepairPlanner::ChooseSource(const BlockMap::Entry& entry) const {
  std::optional<NodeNumber> best;
  uint64_t best_bytes = 0;
  // One that is to go is read for a while yet, and is better than none.
  const std::vector<NodeNumber> good = GoodHolders(entry);
  std::vector<NodeNumber> holders = good;
  std::erase_if(holders, [&](NodeNumber node) { return IsBeingDeleted(node, entry.block.id); });
  for (NodeNumber node : holders.empty() ? good : holders) {
    auto it = load_by_source_.find(node);
    CopyLoad load = it == load_by_source_.end() ? CopyLoad{} : it->second;
    if (IsBusy(node, load) || (best.has_value() && load.bytes >= best_bytes)) continue;
    best = node;
    best_bytes = load.bytes;
  }
  return best;
}

bool RepairPlanner::IsBusy(NodeNumber number, const CopyLoad& load, double part) const {
  // Copies give way to those who write, but never stand still.
  const Node* node = nodes_.Find(number);
  const double writes = node == nullptr ? 0.0 : node->load.active_writes;
  part *= kWritesHalving / (kWritesHalving + writes);
  const double copies_max = std::max(1.0, part * options_.copies_per_node_max);
  const double bytes_max = part * static_cast<double>(options_.copy_bytes_per_node_max);
  return load.copies >= copies_max ||
         (load.copies > 0 && static_cast<double>(load.bytes) >= bytes_max);
}

std::vector<NodeNumber> RepairPlanner::GoodHolders(const BlockMap::Entry& entry) const {
  std::vector<NodeNumber> holders;
  for (const BlockMap::Replica& replica : entry.replicas) {
    if (replica.is_confirmed && !replica.is_bad && IsLive(replica.node)) {
      holders.push_back(replica.node);
    }
  }
  return holders;
}

std::vector<NodeNumber> RepairPlanner::SoundHolders(const BlockMap::Entry& entry) const {
  std::vector<NodeNumber> holders = GoodHolders(entry);
  std::erase_if(holders, [&](NodeNumber node) {
    return !IsServing(node) || IsBeingDeleted(node, entry.block.id);
  });
  return holders;
}

std::optional<NodeNumber> RepairPlanner::ChooseTarget(const BlockMap::Entry& entry) {
  ReplicaPlacer::Request request{
      .count = 1, .bytes = entry.block.stored_bytes, .excluded = {}, .present = {}};
  std::vector<NodeNumber> bad;
  for (const BlockMap::Replica& replica : entry.replicas) {
    const Node* node = nodes_.Find(replica.node);
    const bool is_resting = node != nullptr && node->service == NodeService::kMaintenance;
    if (node != nullptr && node->is_leaving()) {
      // Nothing is placed there, and nothing need be kept apart from what will be gone.
    } else if (!replica.is_bad && (is_resting || blocks_.IsGood(replica))) {
      request.present.push_back(replica.node);
    } else {
      bad.push_back(replica.node);
    }
  }
  for (const auto& [node, load] : load_by_target_) {
    if (IsBusy(node, load)) request.excluded.push_back(node);
  }
  for (const auto& [number, node] : nodes_.nodes()) {
    if (IsBeingDeleted(number, entry.block.id)) request.excluded.push_back(number);
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

void RepairPlanner::PlanTrim(BlockId id) {
  const std::optional<BlockMap::Entry> entry = blocks_.Find(id);
  if (!entry.has_value() || copies_.contains(id)) return;
  std::vector<NodeNumber> sound = SoundHolders(*entry);
  if (sound.size() < std::max<size_t>(entry->replication, 1)) return;
  for (const BlockMap::Replica& replica : entry->replicas) {
    if (replica.is_bad && IsLive(replica.node)) Delete(replica.node, id);
  }
  TrimSurplus(*entry, std::move(sound));
}

void RepairPlanner::TrimSurplus(const BlockMap::Entry& entry, std::vector<NodeNumber> sound) {
  const BlockId id = entry.block.id;
  while (sound.size() > std::max<size_t>(entry.replication, 1)) {
    const NodeNumber victim = ChooseVictim(id, sound);
    if (!Delete(victim, id)) return;
    std::erase(sound, victim);
    auto moved = moves_.find(id);
    if (moved == moves_.end()) continue;
    if (moved->second.move.source == victim) finished_moves_.push_back(moved->second.move);
    moves_.erase(moved);
  }
}

NodeNumber RepairPlanner::ChooseVictim(BlockId id, const std::vector<NodeNumber>& holders) const {
  auto shares = [&](const Node& node, const auto& label_of) {
    return std::count_if(holders.begin(), holders.end(), [&](NodeNumber other) {
             return label_of(*nodes_.Find(other)) == label_of(node);
           }) > 1;
  };
  auto host = [](const Node& node) -> const std::string& { return node.host(); };
  auto domain = [](const Node& node) -> const std::string& { return node.failure_domain(); };
  auto rack = [](const Node& node) -> const std::string& { return node.rack(); };
  auto moved = moves_.find(id);
  auto rank = [&](NodeNumber number) {
    const Node& node = *nodes_.Find(number);
    // Nodes about as full as one another take turns, block by block.
    return std::make_tuple(!shares(node, host),
                           !shares(node, domain),
                           !shares(node, rack),
                           moved == moves_.end() || moved->second.move.source != number,
                           node.load.free_bytes / kFreeBytesStep,
                           (number + id) % holders.size(),
                           number);
  };
  auto is_better_victim = [&](NodeNumber left, NodeNumber right) {
    return rank(left) < rank(right);
  };
  return *std::min_element(holders.begin(), holders.end(), is_better_victim);
}

bool RepairPlanner::BeginMove(Move move, const Now& now) {
  if (copies_.contains(move.id) || moves_.contains(move.id)) return false;
  const std::optional<BlockMap::Entry> entry = blocks_.Find(move.id);
  if (!entry.has_value() || !IsServing(move.target)) return false;
  const std::vector<NodeNumber> sound = SoundHolders(*entry);
  const bool is_settled = sound.size() == entry->replication &&
                          sound.size() == entry->replicas.size() &&
                          std::find(sound.begin(), sound.end(), move.source) != sound.end();
  const bool is_new_there = std::find(sound.begin(), sound.end(), move.target) == sound.end() &&
                            !IsBeingDeleted(move.target, move.id);
  if (!is_settled || !is_new_there ||
      IsBusy(move.source, load_by_source_[move.source], kMovesPart) ||
      IsBusy(move.target, load_by_target_[move.target], kMovesPart)) {
    return false;
  }
  move.bytes = entry->block.stored_bytes;
  BeginCopy(entry->block, move.source, move.target, now);
  // The copy has its time, and the trim behind it.
  moves_[move.id] = {.move = move, .deadline = now.steady + 2 * options_.command_timeout};
  return true;
}

std::vector<RepairPlanner::Move> RepairPlanner::TakeFinishedMoves() {
  return std::exchange(finished_moves_, {});
}

std::vector<RepairPlanner::Move> RepairPlanner::moves() const {
  std::vector<Move> moves;
  for (const auto& [id, under_way] : moves_)
    moves.push_back(under_way.move);
  return moves;
}

uint64_t RepairPlanner::bytes_coming(NodeNumber node) const {
  auto it = load_by_target_.find(node);
  return it == load_by_target_.end() ? 0 : it->second.bytes;
}

void RepairPlanner::PlanGarbage(const IsCollected& is_collected) {
  const auto& all = blocks_.strays();
  auto it = all.upper_bound(garbage_cursor_);
  for (size_t examined = 0; it != all.end() && examined < options_.blocks_per_plan_max;
       ++it, ++examined) {
    const auto& [id, strays] = *it;
    garbage_cursor_ = id;
    if (!is_collected(id)) continue;
    for (const BlockMap::Stray& stray : strays) {
      if (IsLive(stray.node)) Delete(stray.node, id);
    }
  }
  if (it == all.end()) garbage_cursor_ = 0;
}

bool RepairPlanner::HasRoom(NodeNumber node) const {
  auto it = commands_.find(node);
  return it == commands_.end() || it->second.size() < options_.commands_queued_max;
}

bool RepairPlanner::Delete(NodeNumber node, BlockId id) {
  if (IsBeingDeleted(node, id)) return true;
  // Without room it is left as it is, and looked at again the next time round.
  if (!HasRoom(node)) return false;
  deletes_.emplace(std::make_pair(node, id), Deletion{});
  commands_[node].push_back({.kind = NodeCommand::Kind::kDelete, .block = {.id = id}});
  return true;
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
  EndCopiesOf(node);
}

void RepairPlanner::BeginSession(NodeNumber node) {
  commands_.erase(node);
  std::erase_if(deletes_, [&](const auto& entry) {
    return entry.first.first == node && !entry.second.was_told;
  });
  for (auto it = deletes_.lower_bound({node, 0}); it != deletes_.end() && it->first.first == node;
       ++it) {
    it->second.is_queued = false;
  }
  EndCopiesOf(node);
}

void RepairPlanner::Reported(NodeNumber node) {
  std::erase_if(deletes_, [&](const auto& entry) {
    return entry.first.first == node && !entry.second.is_queued;
  });
}

void RepairPlanner::EndCopiesOf(NodeNumber node) {
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
  const std::optional<BlockMap::Entry> entry = blocks_.Find(command.block.id);
  if (command.kind == NodeCommand::Kind::kCopy) {
    auto copy = copies_.find(command.block.id);
    return copy != copies_.end() && copy->second.source == node &&
           copy->second.target == command.target;
  }
  if (command.kind == NodeCommand::Kind::kVerify) return true;
  if (!IsBeingDeleted(node, command.block.id)) return false;
  // Not a block any more: its id is collected, for good.
  if (!entry.has_value()) return true;
  return SoundHolders(*entry).size() >= std::max<size_t>(entry->replication, 1);
}

std::vector<NodeCommand> RepairPlanner::TakeCommands(NodeNumber node, const Now& now) {
  std::vector<NodeCommand> taken;
  auto it = commands_.find(node);
  if (it == commands_.end()) return taken;
  std::deque<NodeCommand>& commands = it->second;
  bool is_in_doubt = false;
  while (!commands.empty() && taken.size() < options_.commands_per_heartbeat_max) {
    const NodeCommand command = commands.front();
    commands.pop_front();
    const bool is_due = IsStillDue(node, command);
    if (is_due) taken.push_back(command);
    if (command.kind != NodeCommand::Kind::kDelete) continue;
    auto deletion = deletes_.find({node, command.block.id});
    if (deletion == deletes_.end()) continue;
    deletion->second.was_told |= is_due;
    deletion->second.is_queued = false;
    deletion->second.deadline = now.steady + options_.command_timeout;
    if (is_due) continue;
    if (deletion->second.was_told) {
      is_in_doubt = true;
    } else {
      // Never told: the replica is as good as before.
      deletes_.erase(deletion);
    }
  }
  // Its report ends the doubt; should this be lost, it is asked again when the order is due again.
  if (is_in_doubt) taken.push_back({.kind = NodeCommand::Kind::kReport});
  return taken;
}

}  // namespace slipstream::dfs::master
