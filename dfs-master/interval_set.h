#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace slipstream::dfs::master {

// A set of numbers kept as disjoint closed intervals that do not touch.
class IntervalSet final {
 public:
  struct Interval {
    uint64_t first = 0;
    uint64_t last = 0;  // inclusive
    friend bool operator==(const Interval&, const Interval&) = default;
  };
  // What Add did: intervals that are gone (by their first number) and the one that is there now.
  struct Change {
    std::vector<uint64_t> removed;
    Interval added;
  };

  bool Contains(uint64_t number) const;
  // Adds [first, last], joining what overlaps or touches.
  Change Add(uint64_t first, uint64_t last);
  // The parts of [first, last] that are not in the set, in order.
  std::vector<Interval> Gaps(uint64_t first, uint64_t last) const;

  size_t interval_count() const { return last_by_first_.size(); }

 private:
  std::map<uint64_t, uint64_t> last_by_first_;
};

}  // namespace slipstream::dfs::master
