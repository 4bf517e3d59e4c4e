#include "processor/operators/write_times.h"

#include "processor/expr/state_bytes.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
// What an entry takes besides its key: the map's node and bucket, the allocator.
constexpr size_t kEntryBytes = sizeof(std::string) + 72;

}  // namespace

void WriteTimes::SpillTo(ScratchSpace& space) {
  constexpr size_t kParts = 2;
  spilled_entries_.emplace(space, 'e', kParts);
  order_.SpillTo(spilled_order_.emplace(space, 'o', kParts));
}

WriteTimes::Entries::reference WriteTimes::Load(const std::string& key) {
  const auto [place, is_new] = entries_.try_emplace(key);
  Entry& entry = place->second;
  entry.used = pass_;
  if (!is_new) return *place;
  bytes_ += kEntryBytes + key.size();
  std::string value;
  if (!is_spilling_ || !spilled_entries_->Get(key, value)) return *place;
  std::string_view rest = value;
  if (!TakeInt64(rest, entry.written_us)) spilled_entries_->Fail(DamagedState("time of a key"));
  entry.is_known = true;
  entry.is_saved = true;
  return *place;
}

void WriteTimes::NoteChange(Entries::reference entry) {
  if (entry.second.is_changed) return;
  entry.second.is_changed = true;
  changed_.push_back(&entry);
}

void WriteTimes::Touch(const std::string& key, int64_t now_us, bool is_renewed) {
  Entries::reference entry = Load(key);
  Entry& times = entry.second;
  if (times.is_known && (!is_renewed || times.written_us == now_us)) return;
  if (!times.is_known) order_.Add(now_us, key);
  times.is_known = true;
  times.written_us = now_us;
  NoteChange(entry);
}

std::optional<std::string> WriteTimes::ForgetOldest(int64_t before_us) {
  while (!order_.empty() && order_.first().due < before_us) {
    DueKeys::Entry oldest = order_.Pop();
    Entries::reference entry = Load(oldest.key);
    if (entry.second.written_us > oldest.due) {
      order_.Add(entry.second.written_us, oldest.key);
      continue;
    }
    entry.second.is_known = false;
    NoteChange(entry);
    return std::move(oldest.key);
  }
  return std::nullopt;
}

void WriteTimes::Put(Entries::const_reference entry) {
  std::string value;
  PutInt64(value, entry.second.written_us);
  spilled_entries_->Put(entry.first, value);
}

void WriteTimes::SaveChanges(StateSink& sink) {
  std::string value;
  for (Entries::pointer entry : changed_) {
    auto& [key, times] = *entry;
    times.is_changed = false;
    if (times.is_known) {
      value.assign(1, static_cast<char>(kStateVersion));
      PutInt64(value, times.written_us);
      sink.Put(key, value);
      times.is_saved = true;
      if (is_spilling_) Put(*entry);
      continue;
    }
    if (times.is_saved) {
      sink.Delete(key);
      if (is_spilling_) spilled_entries_->Delete(key);
    }
    Drop(entries_.find(key));
  }
  changed_.clear();
  bound_.OnSaved();
}

Status WriteTimes::Restore(std::string_view key, std::string_view value) {
  uint8_t version = 0;
  Entry entry{.is_known = true, .is_saved = true};
  if (!TakeByte(value, version) || version != kStateVersion ||
      !TakeInt64(value, entry.written_us) || !value.empty()) {
    return DamagedState("time of a key");
  }
  const auto [place, is_new] = entries_.try_emplace(std::string(key), entry);
  if (!is_new) return DamagedState("time of a key");
  bytes_ += kEntryBytes + key.size();
  order_.Add(entry.written_us, key);
  if (is_spilling_) Put(*place);
  Trim();
  return {};
}

void WriteTimes::Drop(Entries::iterator entry) {
  bytes_ -= kEntryBytes + entry->first.size();
  entries_.erase(entry);
}

void WriteTimes::Trim() {
  if (!spilled_entries_) return;
  order_.Trim();
  if (bound_.IsPassed(*spilled_entries_, bytes_)) {
    if (!is_spilling_) {
      is_spilling_ = true;
      for (const auto& entry : entries_) {
        if (!entry.second.is_changed) Put(entry);  // others will be when they are saved
      }
    }
    const size_t target = bound_.Target(*spilled_entries_);
    for (const bool is_last : {false, true}) {
      for (auto at = entries_.begin(); at != entries_.end() && bytes_ > target;) {
        const auto entry = at++;
        const bool stays = entry->second.is_changed || (!is_last && entry->second.used == pass_);
        if (!stays) Drop(entry);
      }
    }
    ++pass_;
    bound_.OnTrimmed(*spilled_entries_, bytes_);
  }
  spilled_entries_->SetCached(bytes_);
}

}  // namespace slipstream::sql
