#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "processor/operators/aggregate_layout.h"

namespace slipstream::sql {

// One group's key and the states of its aggregates.
struct Group {
  std::string key;          // encoded
  bool is_changed = false;  // since its state was last saved
  bool is_saved = false;    // there is a saved state under its key
  bool is_shown = false;    // a result of it was given, though it is not final
  bool is_stale = false;    // it is not what was last given
  uint32_t used = 0;        // kept by GroupCache, as are bytes
  int64_t rows = 0;         // that count in it; kept by whoever takes rows back
  size_t bytes = 0;
  std::byte* state = nullptr;
};

// GroupTable: a hash table from encoded keys to aggregate states. Addresses of groups stay.
// Ownership   owns groups and states; borrows the layout, which must outlive it.
// Threads     none of its own.
class GroupTable {
 public:
  explicit GroupTable(const AggregateLayout& layout);
  ~GroupTable();
  GroupTable(const GroupTable&) = delete;
  GroupTable& operator=(const GroupTable&) = delete;

  // The group of `key`, made if there is none.
  Group& Find(std::string_view key);
  // What the groups here have seen counts for those of `to` with the same keys too.
  void MergeInto(GroupTable& to) const;
  // Forgets the group; its place is used again.
  void Remove(Group& group);
  size_t size() const;
  // All groups in any order.
  std::vector<Group*> All() const;
  // All groups in the order of their keys.
  std::vector<Group*> Sorted() const;

 private:
  struct Index;

  Group& Add(std::string_view key);

  const AggregateLayout& layout_;
  const std::unique_ptr<Index> index_;
  std::vector<std::unique_ptr<Group[]>> group_chunks_;
  std::vector<std::unique_ptr<std::byte[]>> state_chunks_;
  std::vector<Group*> free_;
  size_t used_ = 0;  // of the last chunk
};

}  // namespace slipstream::sql
