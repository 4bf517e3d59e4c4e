#include "dfs-master/replica_placer.h"

#include <algorithm>
#include <utility>

namespace slipstream::dfs::master {
namespace {

// A node that has not room for so many more requests like this one has little room left.
constexpr uint64_t kRoomyRequests = 5;
// So many writes are few, whatever the average is.
constexpr double kFewWrites = 4;

bool Contains(const std::vector<NodeNumber>& numbers, NodeNumber number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

uint64_t FreeBytes(const Node& node) {
  uint64_t free = node.load.free_bytes;
  return free - std::min(free, node.placed_bytes);
}

double AverageWrites(const NodeTable& nodes) {
  double writes = 0;
  double count = 0;
  for (const auto& [number, node] : nodes.nodes()) {
    if (!node.is_serving()) continue;
    writes += node.load.active_writes;
    ++count;
  }
  return count == 0 ? 0 : writes / count;
}

}  // namespace

int Nearness(const Node& node, const std::vector<const Node*>& others) {
  int nearness = 0;
  for (const Node* other : others) {
    if (!node.rack().empty() && other->rack() == node.rack()) nearness = std::max(nearness, 1);
    if (other->failure_domain() == node.failure_domain()) nearness = std::max(nearness, 2);
    if (other->host() == node.host()) nearness = std::max(nearness, 3);
  }
  return nearness;
}

std::vector<NodeNumber> ReplicaPlacer::Pick(const NodeTable& nodes, const Request& request) {
  std::vector<const Node*> eligible;
  std::vector<const Node*> present;
  for (const auto& [number, node] : nodes.nodes()) {
    if (Contains(request.present, number)) {
      present.push_back(&node);
    } else if (node.is_serving() && !Contains(request.excluded, number) &&
               FreeBytes(node) > request.bytes) {
      eligible.push_back(&node);
    }
  }
  const double writes_max = 2 * AverageWrites(nodes) + kFewWrites;
  auto rank = [&](const Node& node) {
    const bool is_strained =
        FreeBytes(node) / kRoomyRequests < request.bytes || node.load.active_writes > writes_max;
    return std::pair(Nearness(node, present), is_strained);
  };
  std::vector<NodeNumber> picked;
  while (picked.size() < request.count && !eligible.empty()) {
    std::pair<int, bool> best = rank(*eligible.front());
    for (const Node* node : eligible)
      best = std::min(best, rank(*node));
    std::vector<const Node*> candidates;
    std::copy_if(
        eligible.begin(), eligible.end(), std::back_inserter(candidates), [&](const Node* node) {
          return rank(*node) == best;
        });
    const Node* chosen = Draw(candidates);
    picked.push_back(chosen->number);
    present.push_back(chosen);
    std::erase(eligible, chosen);
  }
  return picked;
}

const Node* ReplicaPlacer::Draw(const std::vector<const Node*>& candidates) {
  std::vector<double> weights;
  weights.reserve(candidates.size());
  for (const Node* node : candidates) {
    weights.push_back(static_cast<double>(FreeBytes(*node)) / (1.0 + node->load.active_writes));
  }
  // std::discrete_distribution differs between standard libraries; this is the same everywhere.
  double total = 0;
  for (double weight : weights)
    total += weight;
  double point = static_cast<double>(random_() >> 11) * 0x1p-53 * total;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (point < weights[i]) return candidates[i];
    point -= weights[i];
  }
  return candidates.back();
}

}  // namespace slipstream::dfs::master
