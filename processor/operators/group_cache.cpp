#include "processor/operators/group_cache.h"

#include <algorithm>
#include <utility>

#include "processor/expr/state_bytes.h"

namespace slipstream::sql {
namespace {

// Of a group, besides key and state: itself, its place in the index, what the allocator adds.
constexpr size_t kGroupBytes = sizeof(Group) + 64;

}  // namespace

void SaveGroup(const AggregateLayout& layout, const Group& group, std::string& to) {
  PutByte(to, kGroupVersion);
  PutInt64(to, group.rows);
  layout.Save(group.state, to);
}

Status RestoreGroup(const AggregateLayout& layout, std::string_view from, Group& group) {
  uint8_t version = 0;
  if (!TakeByte(from, version)) return DamagedState("group value");
  if (version != kGroupVersion) {
    return DataLoss("saved group state has version " + std::to_string(version) +
                    ", this program reads " + std::to_string(kGroupVersion));
  }
  if (!TakeCount(from, group.rows)) return DamagedState("group value");
  group.is_saved = true;
  return layout.Restore(group.state, from);
}

// What an aggregate keeps outside of its fixed part is as large as what it saves, about.
size_t BytesOfGroup(const AggregateLayout& layout, const Group& group, size_t saved_bytes) {
  return kGroupBytes + group.key.size() + std::max(layout.state_bytes(), saved_bytes);
}

Group& GroupCache::FindOrLoad(std::string_view key) {
  const size_t count = table_.size();
  Group& group = table_.Find(key);
  group.used = pass_;
  if (table_.size() == count) return group;
  std::string value;
  if (is_spilling_ && space_->Get(key, value)) {
    const Status status = RestoreGroup(layout_, value, group);
    if (!status.ok()) space_->Fail(status);
  }
  group.bytes = BytesOfGroup(layout_, group, value.size());
  bytes_ += group.bytes;
  return group;
}

Status GroupCache::Restore(std::string_view key, std::string_view value) {
  Group& group = table_.Find(key);
  RETURN_IF_ERROR(RestoreGroup(layout_, value, group));
  if (space_ == nullptr) return {};
  bytes_ -= std::exchange(group.bytes, BytesOfGroup(layout_, group, value.size()));
  bytes_ += group.bytes;
  if (is_spilling_) space_->Put(key, value);
  Trim();
  return {};
}

void GroupCache::OnSaved(Group& group, std::string_view value) {
  group.is_saved = true;
  if (space_ == nullptr) return;
  bytes_ -= std::exchange(group.bytes, BytesOfGroup(layout_, group, value.size()));
  bytes_ += group.bytes;
  if (is_spilling_) space_->Put(group.key, value);
  bound_.OnSaved();
}

void GroupCache::Remove(Group& group) {
  if (is_spilling_ && group.is_saved) space_->Delete(group.key);
  Drop(group);
}

void GroupCache::Drop(Group& group) {
  bytes_ -= group.bytes;
  table_.Remove(group);
}

void GroupCache::BeginSpilling() {
  is_spilling_ = true;
  std::string value;
  for (const Group* group : table_.All()) {
    if (group->is_changed) continue;  // it will be when it is saved
    value.clear();
    SaveGroup(layout_, *group, value);
    space_->Put(group->key, value);
  }
}

void GroupCache::Trim() {
  if (space_ == nullptr) return;
  if (bound_.IsPassed(*space_, bytes_)) {
    if (!is_spilling_) BeginSpilling();
    const size_t target = bound_.Target(*space_);
    for (const bool is_last : {false, true}) {
      if (bytes_ <= target) break;
      for (Group* group : table_.All()) {
        if (group->is_changed || (!is_last && group->used == pass_)) continue;
        Drop(*group);
        if (bytes_ <= target) break;
      }
    }
    ++pass_;
    bound_.OnTrimmed(*space_, bytes_);
  }
  space_->SetCached(bytes_);
}

Status GroupCache::Visit(const std::function<Status(const Group& group)>& visit) {
  if (!is_spilling_) {
    for (const Group* group : table_.Sorted())
      RETURN_IF_ERROR(visit(*group));
    return {};
  }
  std::string value;
  for (const Group* group : table_.All()) {
    if (!group->is_changed) continue;
    value.clear();
    SaveGroup(layout_, *group, value);
    space_->Put(group->key, value);
  }
  Status status;
  GroupTable one(layout_);
  space_->Scan({}, [&](std::string_view key, std::string_view saved) {
    Group& group = one.Find(key);
    status = RestoreGroup(layout_, saved, group);
    if (status.ok()) status = visit(group);
    one.Remove(group);
    return status.ok();
  });
  return status;
}

}  // namespace slipstream::sql
