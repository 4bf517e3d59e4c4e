#include "dfs-master/interval_set.h"

#include <algorithm>
#include <iterator>

namespace slipstream::dfs::master {

bool IntervalSet::Contains(uint64_t number) const {
  auto it = last_by_first_.upper_bound(number);
  return it != last_by_first_.begin() && std::prev(it)->second >= number;
}

IntervalSet::Change IntervalSet::Add(uint64_t first, uint64_t last) {
  Change change{.removed = {}, .added = {.first = first, .last = last}};
  auto it = last_by_first_.upper_bound(first);
  if (it != last_by_first_.begin() && std::prev(it)->second + 1 >= first) --it;
  while (it != last_by_first_.end() && it->first <= change.added.last + 1) {
    change.added.first = std::min(change.added.first, it->first);
    change.added.last = std::max(change.added.last, it->second);
    change.removed.push_back(it->first);
    it = last_by_first_.erase(it);
  }
  last_by_first_.emplace(change.added.first, change.added.last);
  return change;
}

std::vector<IntervalSet::Interval> IntervalSet::Gaps(uint64_t first, uint64_t last) const {
  std::vector<Interval> gaps;
  auto it = last_by_first_.upper_bound(first);
  if (it != last_by_first_.begin() && std::prev(it)->second >= first) --it;
  for (; it != last_by_first_.end() && it->first <= last; ++it) {
    if (it->first > first) gaps.push_back({.first = first, .last = it->first - 1});
    if (it->second >= last) return gaps;
    first = std::max(first, it->second + 1);
  }
  if (first <= last) gaps.push_back({.first = first, .last = last});
  return gaps;
}

}  // namespace slipstream::dfs::master
