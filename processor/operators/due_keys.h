#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "common/scratch/scratch_store.h"
#include "processor/operators/cache_bound.h"

namespace slipstream::sql {

// DueKeys: keys by when there is something to do about them, the earliest first, those of one time
// in their own order. A key may be due at several times.
//
// Spilling    with a space, what is due last is out of memory once its cache is full; so what is
//             next is always here, but for the last one never more than the cache holds.
// State       none that is saved: whoever uses it adds what it restores.
// Ownership   borrows the space. Threads: none of its own.
class DueKeys {
 public:
  struct Entry {
    int64_t due = 0;
    std::string key;

    friend auto operator<=>(const Entry&, const Entry&) = default;
  };

  // Before anything else.
  void SpillTo(ScratchSpace& space) { space_ = &space; }

  // Nothing, if it is there already.
  void Add(int64_t due, std::string_view key);
  bool empty() const { return near_.empty(); }
  // The earliest; there is one.
  const Entry& first() const { return *near_.begin(); }
  // Takes it out.
  Entry Pop();
  // Puts out of memory what does not fit.
  void Trim();

 private:
  void Refill();

  std::set<Entry> near_;  // empty only if there is nothing in the space either
  ScratchSpace* space_ = nullptr;
  bool is_spilling_ = false;  // entries from horizon_ on are in the space, none before it
  Entry horizon_;
  CacheBound bound_;
  size_t bytes_ = 0;  // of what is in memory
};

}  // namespace slipstream::sql
