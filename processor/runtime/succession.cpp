#include "processor/runtime/succession.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

namespace slipstream::runtime {
namespace {

using Processes = std::set<std::string>;

// Without the dead; nothing if nobody is left.
std::optional<size_t> OwnerAfter(const Processes& dead,
                                 int32_t partition,
                                 int32_t partition_count,
                                 std::span<const kafka::Admin::GroupMember> workers) {
  std::vector<size_t> alive;
  for (size_t place = 0; place < workers.size(); ++place) {
    if (!dead.contains(workers[place].client_id)) alive.push_back(place);
  }
  if (alive.empty()) return std::nullopt;
  return alive[RangeOwner(partition, partition_count, alive.size())];
}

}  // namespace

size_t RangeOwner(int32_t partition, int32_t partition_count, size_t worker_count) {
  const auto at = static_cast<size_t>(partition);
  const size_t each = static_cast<size_t>(partition_count) / worker_count;
  // The first few have one more.
  const size_t extra = static_cast<size_t>(partition_count) % worker_count;
  const size_t of_those = extra * (each + 1);
  return at < of_those ? at / (each + 1) : extra + (at - of_those) / each;
}

std::vector<size_t> SuccessionOf(int32_t partition,
                                 int32_t partition_count,
                                 std::span<const kafka::Admin::GroupMember> workers,
                                 size_t heirs_max) {
  std::vector<size_t> succession;
  const auto owner_after = [&](const Processes& dead) {
    return OwnerAfter(dead, partition, partition_count, workers);
  };
  const auto add = [&](std::optional<size_t> next) {
    const bool is_wanted =
        next && succession.size() <= heirs_max &&
        std::find(succession.begin(), succession.end(), *next) == succession.end();
    if (is_wanted) succession.push_back(*next);
  };
  const std::optional<size_t> owner = owner_after({});
  if (!owner) return succession;
  add(owner);
  std::optional<size_t> heir = owner_after({workers[*owner].client_id});
  add(heir);
  for (const kafka::Admin::GroupMember& worker : workers)
    add(owner_after({worker.client_id}));
  Processes dead = {workers[*owner].client_id};
  while (heir) {
    dead.insert(workers[*heir].client_id);
    heir = owner_after(dead);
    add(heir);
  }
  return succession;
}

}  // namespace slipstream::runtime
