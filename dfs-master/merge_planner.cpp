#include "dfs-master/merge_planner.h"

#include <algorithm>
#include <tuple>

namespace slipstream::dfs::master {

bool MergePlanner::IsIdle(const Node& node) const {
  return node.is_serving() && !merges_.contains(node.number);
}

bool MergePlanner::HasRoom() const {
  const auto& nodes = nodes_.nodes();
  return merges_.size() < options_.merges_max &&
         std::any_of(
             nodes.begin(), nodes.end(), [&](const auto& entry) { return IsIdle(entry.second); });
}

std::vector<InodeId> MergePlanner::files() const {
  std::vector<InodeId> files;
  for (const auto& [node, merge] : merges_)
    files.push_back(merge.run.file);
  return files;
}

std::optional<MergePlanner::Place> MergePlanner::Choose(const MergeRun& run, uint32_t copies) {
  std::map<NodeNumber, size_t> held;
  uint64_t stored_bytes = 0;
  for (const FileBlock& source : run.blocks) {
    stored_bytes += source.block.stored_bytes;
    const std::optional<BlockMap::Entry> entry = blocks_.Find(source.block.id);
    if (!entry.has_value() || blocks_.Count(*entry).good == 0) return std::nullopt;
    for (const BlockMap::Replica& replica : entry->replicas) {
      if (replica.is_confirmed && blocks_.IsGood(replica)) ++held[replica.node];
    }
  }
  const Node* best = nullptr;
  auto rank = [&](const Node& node) {
    auto it = held.find(node.number);
    return std::tuple(it == held.end() ? 0 : it->second, -int64_t{node.load.active_writes});
  };
  for (const auto& [number, node] : nodes_.nodes()) {
    if (!IsIdle(node) || node.load.free_bytes <= 2 * stored_bytes) continue;
    if (best == nullptr || rank(node) > rank(*best)) best = &node;
  }
  if (best == nullptr) return std::nullopt;
  Place place{.node = best->number, .next = {}};
  place.next = placer_.Pick(
      nodes_,
      {.count = copies - 1, .bytes = stored_bytes, .excluded = {}, .present = {place.node}});
  return place;
}

void MergePlanner::Begin(BlockId id, MergeRun run, Place place, const Now& now) {
  const NodeNumber node = place.node;
  merges_.insert_or_assign(node,
                           Merge{.id = id,
                                 .run = std::move(run),
                                 .place = std::move(place),
                                 .deadline = now.steady + options_.timeout,
                                 .told_at = std::nullopt});
}

const MergePlanner::Merge* MergePlanner::TakeOrder(NodeNumber node, const Now& now) {
  auto it = merges_.find(node);
  if (it == merges_.end()) return nullptr;
  Merge& merge = it->second;
  if (merge.deadline <= now.steady) return nullptr;
  if (merge.told_at.has_value() && now.steady - *merge.told_at < options_.told_again) {
    return nullptr;
  }
  merge.told_at = now.steady;
  return &merge;
}

std::optional<MergePlanner::Merge> MergePlanner::End(BlockId id, NodeNumber node) {
  auto it = merges_.find(node);
  if (it == merges_.end() || it->second.id != id) return std::nullopt;
  Merge merge = std::move(it->second);
  merges_.erase(it);
  return merge;
}

void MergePlanner::Forget(NodeNumber node) {
  auto it = merges_.find(node);
  if (it != merges_.end()) it->second.deadline = SteadyTime{};
}

std::vector<MergePlanner::Merge> MergePlanner::TakeOverdue(const Now& now) {
  std::vector<Merge> overdue;
  for (auto it = merges_.begin(); it != merges_.end();) {
    auto next = std::next(it);
    if (it->second.deadline <= now.steady) {
      overdue.push_back(std::move(it->second));
      merges_.erase(it);
    }
    it = next;
  }
  return overdue;
}

}  // namespace slipstream::dfs::master
