#include "processor/operators/due_keys.h"

#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/key_codec.h"

namespace slipstream::sql {
namespace {

// What an entry takes besides its key: the set's node, the allocator.
constexpr size_t kEntryBytes = sizeof(DueKeys::Entry) + 48;

size_t BytesOf(const DueKeys::Entry& entry) {
  return kEntryBytes + entry.key.size();
}

std::string SpaceKey(const DueKeys::Entry& entry) {
  std::string key;
  AppendSortable(key, entry.due);
  return key.append(entry.key);
}

}  // namespace

void DueKeys::Add(int64_t due, std::string_view key) {
  Entry entry{.due = due, .key = std::string(key)};
  if (is_spilling_ && entry >= horizon_) {
    space_->Put(SpaceKey(entry), {});
    return;
  }
  const size_t bytes = BytesOf(entry);
  if (near_.insert(std::move(entry)).second) bytes_ += bytes;
}

DueKeys::Entry DueKeys::Pop() {
  Entry first = std::move(near_.extract(near_.begin()).value());
  bytes_ -= BytesOf(first);
  if (near_.empty() && is_spilling_) Refill();
  return first;
}

void DueKeys::Refill() {
  const size_t target = bound_.Target(*space_) / 2;
  bool has_more = false;
  const auto take = [&](std::string_view key, std::string_view) {
    Entry entry;
    std::string_view rest = key;
    if (!TakeSortable(rest, entry.due)) {
      space_->Fail(DamagedState("key that is due"));
      return false;
    }
    entry.key = rest;
    if (!near_.empty() && bytes_ + BytesOf(entry) > target) {
      horizon_ = std::move(entry);
      has_more = true;
      return false;
    }
    bytes_ += BytesOf(entry);
    near_.insert(near_.end(), std::move(entry));
    space_->Delete(key);
    return true;
  };
  space_->ScanFrom({.prefix = {}, .first = SpaceKey(horizon_)}, take);
  is_spilling_ = has_more;
}

void DueKeys::Trim() {
  if (space_ == nullptr) return;
  if (bound_.IsPassed(*space_, bytes_)) {
    const size_t target = bound_.Target(*space_);
    while (bytes_ > target && near_.size() > 1) {
      horizon_ = std::move(near_.extract(std::prev(near_.end())).value());
      bytes_ -= BytesOf(horizon_);
      space_->Put(SpaceKey(horizon_), {});
      is_spilling_ = true;
    }
    bound_.OnTrimmed(*space_, bytes_);
  }
  space_->SetCached(bytes_);
}

}  // namespace slipstream::sql
