#include "processor/operators/row_store.h"

#include <utility>

#include "processor/expr/state_bytes.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
constexpr size_t kSequenceBytes = 8;
// What an entry and a partition take besides their bytes: the maps' nodes, the allocator.
constexpr size_t kEntryBytes = 2 * sizeof(std::string) + 48;
constexpr size_t kPartitionBytes = sizeof(std::string) + 64;

size_t BytesOf(std::string_view key, std::string_view row) {
  return kEntryBytes + key.size() + row.size();
}

}  // namespace

void RowStore::Touch(std::string_view key, bool is_there) {
  const auto place = touched_.lower_bound(key);
  if (place == touched_.end() || place->first != key) touched_.emplace_hint(place, key, is_there);
}

void RowStore::Put(std::string_view key, std::string row) {
  const auto place = entries_.lower_bound(key);
  const bool is_there = place != entries_.end() && place->first == key;
  Touch(key, is_there);
  bytes_ += BytesOf(key, row);
  if (is_there) {
    bytes_ -= BytesOf(key, place->second);
    place->second = std::move(row);
  } else {
    entries_.emplace_hint(place, key, std::move(row));
  }
}

RowStore::Map::const_iterator RowStore::Erase(Map::const_iterator entry) {
  Touch(entry->first, true);
  bytes_ -= BytesOf(entry->first, entry->second);
  return entries_.erase(entry);
}

void RowStore::EraseAll(std::string_view prefix) {
  const auto end = End(prefix);
  for (auto entry = Begin(prefix); entry != end;)
    entry = Erase(entry);
}

RowStore::Map::const_iterator RowStore::End(std::string_view prefix) const {
  std::string next(prefix);
  while (!next.empty() && static_cast<uint8_t>(next.back()) == 0xFF)
    next.pop_back();
  if (next.empty()) return entries_.end();
  next.back() = static_cast<char>(static_cast<uint8_t>(next.back()) + 1);
  return entries_.lower_bound(next);
}

void RowStore::SaveChanges(StateSink& sink) {
  std::string value;
  for (const auto& [key, was_saved] : touched_) {
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
      value.assign(1, static_cast<char>(kStateVersion)).append(found->second);
      sink.Put(key, value);
      if (is_spilling_) space_->Put(key, found->second);
    } else if (was_saved) {
      sink.Delete(key);
      if (is_spilling_) space_->Delete(key);
    }
  }
  touched_.clear();
  bound_.OnSaved();
}

Status RowStore::Restore(std::string_view key, std::string_view value) {
  uint8_t version = 0;
  if (key.size() < kSequenceBytes || !TakeByte(value, version)) return DamagedState("row's key");
  if (version != kStateVersion) {
    return DataLoss("a saved row has version " + std::to_string(version) + ", this program reads " +
                    std::to_string(kStateVersion));
  }
  if (space_ != nullptr) {
    // Which partition that is nobody has said: it is read when it is wanted.
    is_spilling_ = true;
    space_->Put(key, value);
    return {};
  }
  bytes_ += BytesOf(key, value);
  entries_.emplace(key, value);
  return {};
}

// ---- What is out of memory ----

RowStore::Partition& RowStore::OpenPartition(std::string_view partition) {
  const auto [place, is_new] = partitions_.try_emplace(std::string(partition));
  if (is_new) {
    bytes_ += kPartitionBytes + partition.size();
    place->second.is_whole = !is_spilling_;
  }
  place->second.used = pass_;
  return place->second;
}

bool RowStore::LoadPartition(std::string_view partition) {
  const size_t known = partitions_.size();
  Partition& place = OpenPartition(partition);
  const bool is_new = partitions_.size() > known;
  if (std::exchange(place.is_whole, true)) return is_new;
  space_->Scan(partition, [this](std::string_view key, std::string_view row) {
    // What is here has been put since.
    if (entries_.emplace(key, row).second) bytes_ += BytesOf(key, row);
    return true;
  });
  return true;
}

bool RowStore::IsWhole(std::string_view partition) const {
  if (!is_spilling_) return true;
  const auto found = partitions_.find(std::string(partition));
  return found != partitions_.end() && found->second.is_whole;
}

std::optional<std::string> RowStore::Find(std::string_view partition, std::string_view key) {
  if (const auto found = entries_.find(key); found != entries_.end()) return found->second;
  std::string row;
  if (IsWhole(partition) || !space_->Get(key, row)) return std::nullopt;
  return row;
}

void RowStore::Erase(std::string_view partition, std::string_view key) {
  // At once, for whoever loads the partition before it is saved.
  if (!IsWhole(partition)) space_->Delete(key);
  if (const auto found = entries_.find(key); found != entries_.end()) {
    Erase(found);
  } else {
    touched_.emplace(key, true);
  }
}

Status RowStore::TakeAll(std::string_view prefix, const Visit& visit) {
  auto entry = Begin(prefix);
  const auto end = End(prefix);
  Status status;
  const auto take = [&] {
    status = visit(entry->first, entry->second);
    entry = Erase(entry);
    return status.ok();
  };
  const auto take_spilled = [&](std::string_view key, std::string_view row) {
    while (entry != end && entry->first < key) {
      if (!take()) return false;
    }
    // At once, for whoever loads the partition before it is saved.
    space_->Delete(key);
    // As it is in memory it counts, and what is gone from there is gone.
    if (entry != end && entry->first == key) return true;
    if (!touched_.emplace(key, true).second) return true;
    status = visit(key, row);
    return status.ok();
  };
  if (is_spilling_) space_->Scan(prefix, take_spilled);
  while (status.ok() && entry != end)
    take();
  return status;
}

void RowStore::BeginSpilling() {
  is_spilling_ = true;
  for (const auto& [key, row] : entries_) {
    // What has changed will be written when it is saved.
    if (touched_.find(key) == touched_.end()) space_->Put(key, row);
  }
}

bool RowStore::HasChanged(std::string_view partition) const {
  const auto first = touched_.lower_bound(partition);
  return first != touched_.end() && first->first.starts_with(partition);
}

void RowStore::Drop(std::string_view partition) {
  const auto end = End(partition);
  for (auto entry = Begin(partition); entry != end; entry = entries_.erase(entry))
    bytes_ -= BytesOf(entry->first, entry->second);
  bytes_ -= kPartitionBytes + partition.size();
}

void RowStore::Trim(const OnDropped& on_dropped) {
  if (space_ == nullptr) return;
  if (bound_.IsPassed(*space_, bytes_)) {
    if (!is_spilling_) BeginSpilling();
    const size_t target = bound_.Target(*space_);
    for (const bool is_last : {false, true}) {
      for (auto at = partitions_.begin(); at != partitions_.end() && bytes_ > target;) {
        const auto partition = at++;
        if (!is_last && partition->second.used == pass_) continue;
        if (HasChanged(partition->first)) continue;
        Drop(partition->first);
        if (on_dropped) on_dropped(partition->first);
        partitions_.erase(partition);
      }
    }
    ++pass_;
    bound_.OnTrimmed(*space_, bytes_);
  }
  space_->SetCached(bytes_);
}

void AppendSequence(std::string& to, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8)
    to.push_back(static_cast<char>((number >> shift) & 0xFF));
}

uint64_t SequenceOf(std::string_view key) {
  uint64_t number = 0;
  for (char byte : key.substr(key.size() - kSequenceBytes))
    number = (number << 8) | static_cast<uint8_t>(byte);
  return number;
}

}  // namespace slipstream::sql
