#include "processor/operators/window_groups.h"

#include <algorithm>
#include <iterator>

#include "processor/expr/state_bytes.h"
#include "processor/operators/group_cache.h"
#include "processor/operators/key_codec.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
constexpr uint8_t kSlicedStateVersion = 2;
constexpr size_t kEndBytes = sizeof(int64_t);

std::string SavedKey(int64_t end, std::string_view key) {
  std::string saved;
  AppendSortable(saved, end);
  return saved.append(key);
}

}  // namespace

uint8_t WindowGroups::state_version() const {
  return is_sliced_ ? kSlicedStateVersion : kStateVersion;
}

// ---- Firing ----

Status WindowGroups::Fire(const Span& span, const Visit& visit) {
  const bool is_spilled = std::any_of(tables_.upper_bound(span.after),
                                      tables_.upper_bound(span.last),
                                      [](const auto& entry) { return entry.second.is_spilled; });
  RETURN_IF_ERROR(is_spilled ? FireSpilled(span, visit) : FireHere(span, visit));
  Forget(span.gone, is_spilled);
  return {};
}

Status WindowGroups::FireHere(const Span& span, const Visit& visit) {
  const auto first = tables_.upper_bound(span.after);
  const auto behind = tables_.upper_bound(span.last);
  if (first == behind) return {};
  GroupTable merged(layout_);
  const bool is_one = std::next(first) == behind;
  for (auto table = first; !is_one && table != behind; ++table)
    table->second.groups.MergeInto(merged);
  for (Group* group : (is_one ? first->second.groups : merged).Sorted())
    RETURN_IF_ERROR(visit(*group));
  return {};
}

Status WindowGroups::FireSpilled(const Span& span, const Visit& visit) {
  const auto is_fired = [&](int64_t end) { return end > span.after && end <= span.last; };
  for (const auto& [end, group] : changed_) {
    if (is_fired(end)) Put(end, *group);
  }
  GroupTable groups(layout_);
  GroupTable parts(layout_);
  Group* whole = nullptr;
  Status status;
  const auto give = [&] {
    if (whole == nullptr) return;
    status = visit(*whole);
    groups.Remove(*std::exchange(whole, nullptr));
  };
  const auto add = [&](std::string_view key, std::string_view aggregates) {
    if (whole != nullptr && whole->key == key) {
      Group& part = parts.Find(key);
      status = layout_.Restore(part.state, aggregates);
      if (status.ok()) layout_.Merge(whole->state, part.state);
      parts.Remove(part);
      return;
    }
    give();
    if (!status.ok()) return;
    whole = &groups.Find(key);
    status = layout_.Restore(whole->state, aggregates);
  };
  const auto take = [&](std::string_view space_key, std::string_view value) {
    std::string_view key = space_key;
    std::string_view end_bytes = key.substr(is_sliced_ ? key.size() - kEndBytes : 0, kEndBytes);
    int64_t end = 0;
    uint8_t is_saved = 0;
    if (!TakeSortable(end_bytes, end) || !TakeByte(value, is_saved)) {
      status = DamagedState("group of a window");
      return false;
    }
    key = key.substr(is_sliced_ ? 0 : kEndBytes, key.size() - kEndBytes);
    if (is_fired(end)) add(key, value);
    if (end <= span.gone) {
      space_->Delete(space_key);
      if (is_saved != 0) deleted_.push_back(SavedKey(end, key));
    }
    return status.ok();
  };
  space_->Scan(is_sliced_ ? std::string() : SpaceKey(span.last, {}), take);
  if (status.ok()) give();
  return status;
}

void WindowGroups::Forget(int64_t last_end, bool is_noted) {
  const auto behind = tables_.upper_bound(last_end);
  if (behind == tables_.begin()) return;
  for (auto table = tables_.begin(); table != behind; ++table) {
    for (const Group* group : table->second.groups.Sorted()) {
      bytes_ -= group->bytes;
      if (is_noted || !group->is_saved) continue;
      deleted_.push_back(SavedKey(table->first, group->key));
      if (is_spilling_) space_->Delete(SpaceKey(table->first, group->key));
    }
  }
  std::erase_if(changed_, [&](const GroupOfTable& entry) { return entry.first <= last_end; });
  tables_.erase(tables_.begin(), behind);
}

// ---- What is saved ----

// Saved key: the table's end, sortable, then the group's key. Value: version, then the aggregates.
void WindowGroups::SaveChanges(StateSink& sink) {
  for (const std::string& key : deleted_)
    sink.Delete(key);
  deleted_.clear();
  std::string value;
  for (const auto& [end, group] : changed_) {
    value.assign(1, static_cast<char>(state_version()));
    layout_.Save(group->state, value);
    sink.Put(SavedKey(end, group->key), value);
    group->is_changed = false;
    group->is_saved = true;
    if (space_ == nullptr) continue;
    bytes_ -= std::exchange(group->bytes, BytesOfGroup(layout_, *group, value.size()));
    bytes_ += group->bytes;
    if (is_spilling_) Put(end, *group);
  }
  changed_.clear();
  bound_.OnSaved();
}

Result<Group*> WindowGroups::Restore(int64_t end, std::string_view key, std::string_view value) {
  uint8_t version = 0;
  if (!TakeByte(value, version)) return DamagedState("window value");
  if (version != state_version()) {
    return DataLoss("saved window state has version " + std::to_string(version) +
                    ", this program reads " + std::to_string(state_version()));
  }
  Group& group = TableOf(end).groups.Find(key);
  RETURN_IF_ERROR(layout_.Restore(group.state, value));
  group.is_saved = true;
  if (space_ == nullptr) return &group;
  bytes_ -= std::exchange(group.bytes, BytesOfGroup(layout_, group, value.size()));
  bytes_ += group.bytes;
  if (is_spilling_) Put(end, group);
  return &group;
}

// ---- What is out of memory ----

std::string WindowGroups::SpaceKey(int64_t end, std::string_view key) const {
  if (!is_sliced_) return SavedKey(end, key);
  std::string by_group(key);
  AppendSortable(by_group, end);
  return by_group;
}

// The value: whether it was saved, then the aggregates.
void WindowGroups::Put(int64_t end, const Group& group) {
  std::string value(1, group.is_saved ? 1 : 0);
  layout_.Save(group.state, value);
  space_->Put(SpaceKey(end, group.key), value);
}

Group& WindowGroups::FindOrLoad(Table& table, int64_t end, std::string_view key) {
  const size_t count = table.groups.size();
  Group& group = table.groups.Find(key);
  group.used = pass_;
  if (table.groups.size() == count) return group;
  std::string value;
  if (table.is_spilled && space_->Get(SpaceKey(end, key), value)) {
    const Status status = layout_.Restore(group.state, std::string_view(value).substr(1));
    if (!status.ok()) space_->Fail(status);
    group.is_saved = true;
  }
  group.bytes = BytesOfGroup(layout_, group, value.size());
  bytes_ += group.bytes;
  return group;
}

void WindowGroups::BeginSpilling() {
  is_spilling_ = true;
  for (const auto& [end, table] : tables_) {
    for (const Group* group : table.groups.All()) {
      if (!group->is_changed) Put(end, *group);  // others will be when they are saved
    }
  }
}

void WindowGroups::Trim() {
  if (space_ == nullptr) return;
  if (bound_.IsPassed(*space_, bytes_)) {
    if (!is_spilling_) BeginSpilling();
    const size_t target = bound_.Target(*space_);
    for (const bool is_last : {false, true}) {
      for (auto& [end, table] : tables_) {
        if (bytes_ <= target) break;
        for (Group* group : table.groups.All()) {
          if (bytes_ <= target) break;
          if (group->is_changed || (!is_last && group->used == pass_)) continue;
          bytes_ -= group->bytes;
          table.groups.Remove(*group);
          table.is_spilled = true;
        }
      }
    }
    ++pass_;
    bound_.OnTrimmed(*space_, bytes_);
  }
  space_->SetCached(bytes_);
}

}  // namespace slipstream::sql
