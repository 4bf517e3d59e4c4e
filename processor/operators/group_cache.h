#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "processor/operators/cache_bound.h"
#include "processor/operators/group_table.h"

namespace slipstream::sql {

// A group as it is saved, of an aggregation without a window: the version, the number of its rows
// (8 bytes), and its aggregates. Format: docs/FORMATS.md, section "State".
inline constexpr uint8_t kGroupVersion = 2;
void SaveGroup(const AggregateLayout& layout, const Group& group, std::string& to);
// Into a group that was just made. kDataLoss: damaged, or of another version.
Status RestoreGroup(const AggregateLayout& layout, std::string_view from, Group& group);
// What a group takes in a table, if it is saved in so many bytes.
size_t BytesOfGroup(const AggregateLayout& layout, const Group& group, size_t saved_bytes);

// GroupCache: groups of which those that nothing happens to may be out of memory: a GroupTable, and
// once a space was given and its cache is full, behind it the space, with every group as it was
// last saved. As long as all fits, nothing is written and nothing is looked for there.
//
// Ownership   as GroupTable; borrows the space.
// Threads     none of its own.
class GroupCache {
 public:
  explicit GroupCache(const AggregateLayout& layout) : layout_(layout), table_(layout) {}

  void SpillTo(ScratchSpace& space) { space_ = &space; }

  // The group of `key`, made if there is none. Stays where it is until Trim.
  Group& Find(std::string_view key) {
    if (space_ == nullptr) return table_.Find(key);
    return FindOrLoad(key);
  }
  // A group that was saved and is not here yet.
  Status Restore(std::string_view key, std::string_view value);
  // The group is saved as `value`: is_changed has been taken back.
  void OnSaved(Group& group, std::string_view value);
  // Forgets a group that has been saved as gone, if it was ever saved.
  void Remove(Group& group);
  // Puts out of memory what does not fit. Groups whose is_changed is set stay.
  void Trim();

  // All groups in the order of their keys.
  Status Visit(const std::function<Status(const Group& group)>& visit);

 private:
  Group& FindOrLoad(std::string_view key);
  void Drop(Group& group);
  void BeginSpilling();

  const AggregateLayout& layout_;
  GroupTable table_;
  ScratchSpace* space_ = nullptr;
  bool is_spilling_ = false;  // saved groups are in the space
  CacheBound bound_;
  size_t bytes_ = 0;   // of the groups in the table
  uint32_t pass_ = 1;  // of Trim: groups used since the last one stay longest
};

}  // namespace slipstream::sql
