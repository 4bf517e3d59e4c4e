#include "dfs-master/block_spreader.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace slipstream::dfs::master {
namespace {

constexpr size_t kBlocksPerStep = 4'096;
// What balancing may have under way beside it.
constexpr size_t kMovesInFlightMax = 50;

}  // namespace

void BlockSpreader::Survey() {
  Places places;
  for (const auto& [number, node] : nodes_.nodes()) {
    if (node.is_serving()) places.emplace(node.host(), node.failure_domain(), node.rack());
  }
  // Where some are gone, nothing can come to lie farther apart.
  const bool has_new = !std::includes(places_.begin(), places_.end(), places.begin(), places.end());
  places_ = std::move(places);
  if (!has_new) return;
  is_due_ = true;
  is_again_due_ = false;
  cursor_ = 0;
}

void BlockSpreader::Step(const Now& now) {
  Survey();
  if (!is_due_) return;
  if (planner_.moves_in_flight() >= kMovesInFlightMax) return;
  const BlockIdRange rest{.first = cursor_ + 1, .count = ~BlockId{0} - cursor_ - 1};
  const std::vector<BlockId> ids = blocks_.LiveIds(rest, kBlocksPerStep);
  if (ids.empty()) {
    is_due_ = std::exchange(is_again_due_, false);
    cursor_ = 0;
    return;
  }
  for (BlockId id : ids) {
    if (planner_.moves_in_flight() >= kMovesInFlightMax) return;
    Consider(id, now);
    cursor_ = id;
  }
}

void BlockSpreader::Consider(BlockId id, const Now& now) {
  const std::optional<BlockMap::Entry> entry = blocks_.Find(id);
  if (!entry.has_value() || !entry->is_committed || entry->replicas.size() < 2) return;
  std::vector<const Node*> holders;
  for (const BlockMap::Replica& replica : entry->replicas) {
    if (const Node* node = nodes_.Find(replica.node)) holders.push_back(node);
  }
  const auto others_than = [&](const Node* node) {
    std::vector<const Node*> others = holders;
    std::erase(others, node);
    return others;
  };
  const auto nearness_of = [&](const Node* node) { return Nearness(*node, others_than(node)); };
  const Node* nearest =
      *std::max_element(holders.begin(), holders.end(), [&](const Node* left, const Node* right) {
        return nearness_of(left) < nearness_of(right);
      });
  if (nearness_of(nearest) == 0) return;

  ReplicaPlacer::Request request{.count = 1, .bytes = entry->block.stored_bytes};
  for (const Node* other : others_than(nearest))
    request.present.push_back(other->number);
  request.excluded.push_back(nearest->number);
  const std::vector<NodeNumber> picked = placer_.Pick(nodes_, request);
  if (picked.empty()) return;
  const Node* target = nodes_.Find(picked.front());
  if (Nearness(*target, others_than(nearest)) >= nearness_of(nearest)) return;
  // It may be under repair or have its nodes busy: the next round looks again, also at those begun.
  is_again_due_ = true;
  (void)planner_.BeginMove({.id = id, .source = nearest->number, .target = target->number}, now);
}

}  // namespace slipstream::dfs::master
