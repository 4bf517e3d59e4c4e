#include "processor/operators/group_table.h"

#include <algorithm>

#include <absl/container/flat_hash_map.h>

namespace slipstream::sql {
namespace {

// The first chunks are small: there may be many windows with few groups each.
size_t ChunkSize(size_t chunk) {
  return size_t{4} << std::min<size_t>(chunk, 6);
}

}  // namespace

struct GroupTable::Index {
  absl::flat_hash_map<std::string_view, Group*> groups;
};

GroupTable::GroupTable(const AggregateLayout& layout)
    : layout_(layout), index_(std::make_unique<Index>()) {}

GroupTable::~GroupTable() {
  for (const auto& [key, group] : index_->groups)
    layout_.Destroy(group->state);
}

Group& GroupTable::Find(std::string_view key) {
  const auto found = index_->groups.find(key);
  return found == index_->groups.end() ? Add(key) : *found->second;
}

Group& GroupTable::Add(std::string_view key) {
  Group* group = nullptr;
  if (!free_.empty()) {
    group = free_.back();
    free_.pop_back();
    *group = {.key = {}, .state = group->state};
  } else {
    if (group_chunks_.empty() || used_ == ChunkSize(group_chunks_.size() - 1)) {
      const size_t count = ChunkSize(group_chunks_.size());
      group_chunks_.push_back(std::make_unique<Group[]>(count));
      // operator new[] aligns to 16, which is what the layout asks for.
      state_chunks_.push_back(
          std::make_unique_for_overwrite<std::byte[]>(count * layout_.state_bytes()));
      used_ = 0;
    }
    group = &group_chunks_.back()[used_];
    group->state = state_chunks_.back().get() + used_ * layout_.state_bytes();
    ++used_;
  }
  group->key = key;
  layout_.Init(group->state);
  index_->groups.emplace(group->key, group);
  return *group;
}

void GroupTable::MergeInto(GroupTable& to) const {
  for (const auto& [key, group] : index_->groups)
    layout_.Merge(to.Find(key).state, group->state);
}

void GroupTable::Remove(Group& group) {
  index_->groups.erase(group.key);
  layout_.Destroy(group.state);
  free_.push_back(&group);
}

size_t GroupTable::size() const {
  return index_->groups.size();
}

std::vector<Group*> GroupTable::All() const {
  std::vector<Group*> all;
  all.reserve(index_->groups.size());
  for (const auto& [key, group] : index_->groups)
    all.push_back(group);
  return all;
}

std::vector<Group*> GroupTable::Sorted() const {
  std::vector<Group*> sorted = All();
  std::sort(
      sorted.begin(), sorted.end(), [](const Group* a, const Group* b) { return a->key < b->key; });
  return sorted;
}

}  // namespace slipstream::sql
