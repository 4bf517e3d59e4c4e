#include "dfs-master/balancer.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "dfs-master/replica_placer.h"

namespace slipstream::dfs::master {
namespace {

constexpr size_t kIdsPerLook = 1'024;

}  // namespace

Status Balancer::Start(double threshold_percent) {
  if (!(threshold_percent >= 0 && threshold_percent <= 100)) {
    return InvalidArgument("balance: a threshold is a percentage of 0 to 100: " +
                           std::to_string(threshold_percent));
  }
  const bool was_running = status_.is_running;
  if (!was_running) status_ = {};
  status_.is_running = true;
  status_.threshold_percent =
      threshold_percent == 0 ? options_.threshold_percent : threshold_percent;
  cursor_ = 0;
  // The first round through all blocks has the second one for those begun meanwhile.
  has_begun_any_ = true;
  return {};
}

BalanceStatus Balancer::GetStatus(const Now& now) {
  CountFinishedMoves(now);
  Survey();
  return status_;
}

void Balancer::CountFinishedMoves(const Now& now) {
  for (const RepairPlanner::Move& move : planner_.TakeFinishedMoves()) {
    // Others move blocks, too, for other reasons (BlockSpreader).
    if (status_.is_running) {
      ++status_.blocks_moved;
      status_.bytes_moved += move.bytes;
    }
    parked_.push_back(
        {.node = move.source, .bytes = move.bytes, .until = now.steady + options_.parked});
  }
  while (!parked_.empty() && parked_.front().until <= now.steady)
    parked_.pop_front();
}

void Balancer::Survey() {
  uses_.clear();
  for (const auto& [number, node] : nodes_.nodes()) {
    if (!node.is_serving() || node.load.capacity_bytes == 0) continue;
    uses_[number] = {.used_bytes = static_cast<double>(node.load.used_bytes) +
                                   static_cast<double>(planner_.bytes_coming(number)),
                     .capacity_bytes = static_cast<double>(node.load.capacity_bytes)};
  }
  auto take_off = [this](NodeNumber number, uint64_t bytes) {
    auto it = uses_.find(number);
    if (it == uses_.end()) return;
    it->second.used_bytes = std::max(0.0, it->second.used_bytes - static_cast<double>(bytes));
  };
  for (const Parked& parked : parked_)
    take_off(parked.node, parked.bytes);
  for (const RepairPlanner::Move& move : planner_.moves())
    take_off(move.source, move.bytes);
  double used = 0;
  double capacity = 0;
  for (const auto& [number, use] : uses_) {
    used += use.used_bytes;
    capacity += use.capacity_bytes;
  }
  average_share_ = capacity == 0 ? 0 : used / capacity;
  const double threshold = status_.threshold_percent / 100;
  double over_bytes = 0;
  double under_bytes = 0;
  double spread = 0;
  for (const auto& [number, use] : uses_) {
    const double distance = use.share() - average_share_;
    spread = std::max(spread, std::abs(distance));
    over_bytes += std::max(0.0, distance - threshold) * use.capacity_bytes;
    under_bytes += std::max(0.0, -distance - threshold) * use.capacity_bytes;
  }
  has_over_ = over_bytes > 0;
  has_under_ = under_bytes > 0;
  status_.spread_percent = spread * 100;
  status_.bytes_left =
      status_.is_running ? static_cast<uint64_t>(std::max(over_bytes, under_bytes)) : 0;
}

// Where only nodes at one end are out of bounds, the other nodes on the other side of the average
// give or take.
bool Balancer::IsSource(const Use& use) const {
  const double threshold = status_.threshold_percent / 100;
  return use.share() > average_share_ + (has_over_ ? threshold : 0.0);
}

bool Balancer::IsTarget(const Use& use) const {
  const double threshold = status_.threshold_percent / 100;
  return use.share() < average_share_ - (has_under_ ? threshold : 0.0);
}

bool Balancer::Step(const Now& now) {
  CountFinishedMoves(now);
  if (!status_.is_running) return false;
  Survey();
  if (!has_over_ && !has_under_ && planner_.moves_in_flight() == 0) {
    status_.is_running = false;
    return true;
  }
  size_t looked_at = 0;
  while (has_over_ || has_under_) {
    const BlockIdRange rest{.first = cursor_ + 1, .count = ~BlockId{0} - cursor_ - 1};
    const std::vector<BlockId> ids = blocks_.LiveIds(rest, kIdsPerLook);
    if (ids.empty()) {
      // Through. Nodes that copy now may move other blocks the next time round.
      if (!has_begun_any_ && planner_.copies_in_flight() == 0) {
        status_.is_running = false;
        return true;
      }
      has_begun_any_ = planner_.copies_in_flight() > 0;
      cursor_ = 0;
      return false;
    }
    for (BlockId id : ids) {
      const bool is_full = planner_.moves_in_flight() >= options_.moves_in_flight_max ||
                           ++looked_at > options_.blocks_per_step_max;
      if (is_full || !Consider(id, now)) return false;
      cursor_ = id;
    }
  }
  return false;
}

bool Balancer::Consider(BlockId id, const Now& now) {
  const std::optional<BlockMap::Entry> entry = blocks_.Find(id);
  if (!entry.has_value() || !entry->is_committed) return true;
  std::vector<NodeNumber> sources;
  std::vector<NodeNumber> targets;
  for (const auto& [number, use] : uses_) {
    auto is_here = [number = number](const BlockMap::Replica& replica) {
      return replica.node == number;
    };
    const bool has_it = std::any_of(entry->replicas.begin(), entry->replicas.end(), is_here);
    if (has_it && IsSource(use)) sources.push_back(number);
    if (!has_it && IsTarget(use)) targets.push_back(number);
  }
  // Of the fullest to the emptiest, if that may be.
  auto is_emptier = [&](NodeNumber left, NodeNumber right) {
    return uses_.at(left).share() < uses_.at(right).share();
  };
  std::sort(sources.rbegin(), sources.rend(), is_emptier);
  std::sort(targets.begin(), targets.end(), is_emptier);
  for (NodeNumber source : sources) {
    for (NodeNumber target : targets) {
      if (TryMove(*entry, source, target, now)) return true;
    }
  }
  return true;
}

bool Balancer::TryMove(const BlockMap::Entry& entry,
                       NodeNumber source,
                       NodeNumber target,
                       const Now& now) {
  Use& from = uses_.at(source);
  Use& to = uses_.at(target);
  const auto bytes = static_cast<double>(entry.block.stored_bytes);
  const bool is_better = (to.used_bytes + bytes) / to.capacity_bytes <=
                         (from.used_bytes - bytes) / from.capacity_bytes;
  const bool has_room = nodes_.Find(target)->load.free_bytes >
                        planner_.bytes_coming(target) + entry.block.stored_bytes;
  if (!is_better || !has_room || !KeepsApart(entry, source, target)) return false;
  if (!planner_.BeginMove({.id = entry.block.id, .source = source, .target = target}, now)) {
    return false;
  }
  has_begun_any_ = true;
  from.used_bytes -= bytes;
  to.used_bytes += bytes;
  return true;
}

bool Balancer::KeepsApart(const BlockMap::Entry& entry,
                          NodeNumber source,
                          NodeNumber target) const {
  std::vector<const Node*> others;
  for (const BlockMap::Replica& replica : entry.replicas) {
    const Node* node = nodes_.Find(replica.node);
    if (replica.node != source && node != nullptr) others.push_back(node);
  }
  return Nearness(*nodes_.Find(target), others) <= Nearness(*nodes_.Find(source), others);
}

}  // namespace slipstream::dfs::master
