#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "processor/operators/cache_bound.h"
#include "processor/operators/due_keys.h"
#include "processor/operators/operator.h"
#include "processor/operators/scratch_part.h"

namespace slipstream::sql {

// WriteTimes: when keys were last written, and which of them that is longest ago.
//
// Order       a key that is written again keeps its place in the order until its turn comes, and
//             only then goes to its new one: rows are many, turns few.
// Spilling    with a space, keys that nothing happens to are out of memory once its cache is full:
//             from then on every saved time is in the space too.
// State       one saved key for each key. Format: docs/FORMATS.md, section "State".
// Ownership   borrows the space. Threads: none of its own.
class WriteTimes {
 public:
  // Before anything else.
  void SpillTo(ScratchSpace& space);

  // `is_renewed`: also if the key is known.
  void Touch(const std::string& key, int64_t now_us, bool is_renewed);
  // Forgets the key that was written longest ago, if that was before `before_us`; nullopt: none
  // was.
  std::optional<std::string> ForgetOldest(int64_t before_us);

  // Of what changed since the last call.
  void SaveChanges(StateSink& sink);
  // kDataLoss: damaged.
  Status Restore(std::string_view key, std::string_view value);
  // Puts out of memory what does not fit.
  void Trim();

 private:
  struct Entry {
    int64_t written_us = 0;
    uint32_t used = 0;      // the pass of Trim that it was used before
    bool is_known = false;  // false: it is new, or forgotten since the last save
    bool is_saved = false;
    bool is_changed = false;
  };
  using Entries = std::unordered_map<std::string, Entry>;

  // The key's entry, made if there is none.
  Entries::reference Load(const std::string& key);
  void NoteChange(Entries::reference entry);
  void Put(Entries::const_reference entry);
  void Drop(Entries::iterator entry);

  Entries entries_;
  DueKeys order_;  // of those that are known, by when they were last written, or earlier
  std::vector<Entries::pointer> changed_;

  // Where what does not fit into memory is.
  std::optional<ScratchPart> spilled_entries_;
  std::optional<ScratchPart> spilled_order_;
  bool is_spilling_ = false;  // saved times are in the space
  CacheBound bound_;
  size_t bytes_ = 0;   // of entries_
  uint32_t pass_ = 1;  // of Trim
};

}  // namespace slipstream::sql
