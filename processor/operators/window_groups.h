#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "processor/operators/cache_bound.h"
#include "processor/operators/group_table.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// WindowGroups: the groups of windows that have not fired: a GroupTable for each window, by its
// end; or for each slice, of which windows are put together, by the slice's.
//
// Spilling    with a space, groups that nothing happens to are out of memory once its cache is
//             full: from then on every saved group is in the space too, so that what fires is read
//             from there in the order it is given in: by window and group, or by group and slice.
// State       one saved key for each table and group, of groups that NoteChange was called of.
//             Format: docs/FORMATS.md, section "State".
// Ownership   owns groups and states; borrows layout and space. Groups stay where they are until
//             Trim, those that changed until SaveChanges.
// Threads     none of its own.
class WindowGroups {
 public:
  struct Table {
    explicit Table(const AggregateLayout& layout) : groups(layout) {}

    GroupTable groups;        // of them, what is in memory
    bool is_spilled = false;  // there are others
  };
  using Tables = std::map<int64_t, Table>;
  // A group with the end of its table.
  using GroupOfTable = std::pair<int64_t, Group*>;

  WindowGroups(const AggregateLayout& layout, bool is_sliced)
      : layout_(layout), is_sliced_(is_sliced) {}

  // Before anything else.
  void SpillTo(ScratchSpace& space) { space_ = &space; }

  const Tables& tables() const { return tables_; }
  // Made if there is none; stays until it is forgotten.
  Table& TableOf(int64_t end) { return tables_.try_emplace(end, layout_).first->second; }
  // The group of `key` in the table with that end, made if there is none.
  Group& Find(Table& table, int64_t end, std::string_view key) {
    if (space_ == nullptr) return table.groups.Find(key);
    return FindOrLoad(table, end, key);
  }
  void NoteChange(int64_t end, Group& group) {
    if (std::exchange(group.is_changed, true)) return;
    changed_.emplace_back(end, &group);
  }

  // Visits the groups of the tables from behind `after` to `last`, those of a key as one, in the
  // order of their keys; then forgets the tables up to `gone`, which are among them.
  struct Span {
    int64_t after = 0;
    int64_t last = 0;
    int64_t gone = 0;
  };
  using Visit = std::function<Status(Group& group)>;
  Status Fire(const Span& span, const Visit& visit);

  void SaveChanges(StateSink& sink);
  // One group of the table with that end; it stays until Trim. kDataLoss: damaged, or of another
  // version.
  Result<Group*> Restore(int64_t end, std::string_view key, std::string_view value);
  // Puts out of memory what does not fit. Groups that changed since the last save stay.
  void Trim();

 private:
  uint8_t state_version() const;
  Status FireHere(const Span& span, const Visit& visit);
  // From memory and the space. What is gone is deleted there, and noted.
  Status FireSpilled(const Span& span, const Visit& visit);
  void Forget(int64_t last_end, bool is_noted);

  // Only with a space.
  Group& FindOrLoad(Table& table, int64_t end, std::string_view key);
  void Put(int64_t end, const Group& group);
  void BeginSpilling();
  std::string SpaceKey(int64_t end, std::string_view key) const;

  const AggregateLayout& layout_;
  const bool is_sliced_;
  Tables tables_;
  std::vector<GroupOfTable> changed_;  // since they were last saved
  std::vector<std::string> deleted_;   // saved keys that are gone since

  ScratchSpace* space_ = nullptr;
  bool is_spilling_ = false;  // saved groups are in the space
  CacheBound bound_;
  size_t bytes_ = 0;   // of the groups in memory; only with a space
  uint32_t pass_ = 1;  // of Trim: groups used since the last one stay longest
};

}  // namespace slipstream::sql
