#include "processor/operators/join_table.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/key_codec.h"
#include "processor/operators/row_store.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
// What keys in the space are of, behind the side. A row's: its join key and number; its time's:
// when it was written and its number, with its join key as the value; a mark's: a join key that
// rows are there of, since asking for one key is cheaper than looking for those that begin with it.
constexpr char kRowKind = 'r';
constexpr char kTimeKind = 't';
constexpr char kMarkKind = 'm';
constexpr size_t kKindBytes = 2;
constexpr size_t kHeaderBytes = 1 + sizeof(int64_t) + sizeof(uint32_t);
// What a row and a key take besides their bytes: list, index and allocator.
constexpr size_t kRowBytes = sizeof(JoinTable::Row) + 48;
constexpr size_t kGroupBytes = sizeof(JoinTable::Groups::value_type) + 64;

std::string StateKey(uint8_t side, uint64_t number) {
  std::string key(1, static_cast<char>(side));
  AppendSequence(key, number);
  return key;
}

void EncodeRow(const JoinTable::Row& row, std::string& to) {
  to.assign(1, static_cast<char>(kStateVersion));
  PutInt64(to, row.written_us);
  PutNumber(to, row.matches);
  to += row.bytes;
}

Status DecodeRow(std::string_view value, JoinTable::Row& row) {
  ASSIGN_OR_RETURN(const std::string_view bytes, JoinTable::RowOf(value));
  row.bytes = bytes;
  value.remove_prefix(1);
  if (!TakeInt64(value, row.written_us) || !TakeNumber(value, row.matches)) {
    return DamagedState("row of a join");
  }
  return {};
}

bool IsBefore(const JoinTable::Rows::iterator& a, const JoinTable::Rows::iterator& b) {
  return a->number < b->number;
}

size_t BytesOf(const JoinTable::Row& row) {
  return kRowBytes + row.bytes.size();
}

}  // namespace

// ---- Rows in memory ----

const JoinTable::Group* JoinTable::Find(const std::string& key) {
  auto found = groups_.find(key);
  if (found == groups_.end()) {
    std::string mark;
    if (!is_spilling_ || !space_->Get(SpaceKey(kMarkKind, key), mark)) return nullptr;
    GroupFor(key);
    found = groups_.find(key);
  }
  found->second.used = pass_;
  if (!found->second.is_whole) Load(*found);
  return &found->second;
}

JoinTable::Groups::reference JoinTable::GroupFor(const std::string& key) {
  const auto [place, is_new] = groups_.try_emplace(key);
  place->second.used = pass_;
  if (!is_new) return *place;
  bytes_ += kGroupBytes + key.size();
  // Its other rows are wanted only if somebody asks for them.
  place->second.is_whole = !is_spilling_;
  return *place;
}

void JoinTable::Touch(Rows::iterator row, int64_t now_us) {
  if (is_spilling_ && expires_ && row->is_saved && !row->is_changed) {
    space_->Delete(TimeKey(row->written_us, row->number));
  }
  row->written_us = now_us;
  row->is_changed = true;
  Rows& list = ListOf(*row);
  row->is_loaded = false;
  rows_.splice(rows_.end(), list, row);
}

void JoinTable::Add(const std::string& key, std::string bytes, uint32_t matches, int64_t now_us) {
  Groups::reference group = GroupFor(key);
  rows_.push_back({.bytes = std::move(bytes), .number = next_number_++, .matches = matches});
  const auto row = std::prev(rows_.end());
  row->group = &group;
  group.second.rows.push_back(row);
  bytes_ += BytesOf(*row);
  Touch(row, now_us);
}

void JoinTable::Erase(Rows::iterator row) {
  Groups::pointer group = row->group;
  if (row->is_saved) {
    deleted_.push_back(row->number);
    if (is_spilling_) {
      space_->Delete(RowKey(group->first, row->number));
      if (expires_ && !row->is_changed) space_->Delete(TimeKey(row->written_us, row->number));
    }
  }
  std::erase(group->second.rows, row);
  bytes_ -= BytesOf(*row);
  ListOf(*row).erase(row);
  if (!group->second.rows.empty() || !group->second.is_whole) return;
  if (group->second.is_in_space) space_->Delete(SpaceKey(kMarkKind, group->first));
  bytes_ -= kGroupBytes + group->first.size();
  groups_.erase(groups_.find(group->first));
}

bool JoinTable::Remove(const std::string& key, std::string_view bytes) {
  const Group* const group = Find(key);
  if (group == nullptr) return false;
  const std::vector<Rows::iterator>& rows = group->rows;
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const auto& one) { return one->bytes == bytes; });
  if (row == rows.end()) return false;
  Erase(*row);
  return true;
}

void JoinTable::SetMatches(Rows::iterator row, uint32_t matches, int64_t now_us) {
  row->matches = matches;
  Touch(row, now_us);
}

void JoinTable::Expire(int64_t before_us) {
  while (!rows_.empty() && rows_.front().written_us < before_us)
    Erase(rows_.begin());
  if (oldest_us_ < before_us) ExpireSpilled(before_us);
}

void JoinTable::Clear() {
  for (const Row& row : rows_) {
    if (!row.is_saved || (is_spilling_ && !row.is_changed)) continue;
    deleted_.push_back(row.number);
    if (is_spilling_) space_->Delete(RowKey(row.group->first, row.number));
  }
  if (is_spilling_) ClearSpilled();
  groups_.clear();
  rows_.clear();
  loaded_.clear();
  bytes_ = 0;
}

Status JoinTable::VisitUnmatched(const std::function<Status(const Row& row)>& visit) {
  if (is_spilling_) return VisitSpilled(visit);
  std::vector<const Row*> sorted;
  for (const Row& row : rows_) {
    if (row.matches == 0) sorted.push_back(&row);
  }
  std::sort(sorted.begin(), sorted.end(), [](const Row* a, const Row* b) {
    return a->number < b->number;
  });
  for (const Row* row : sorted)
    RETURN_IF_ERROR(visit(*row));
  return {};
}

// ---- What is saved ----

void JoinTable::SaveChanges(uint8_t side, StateSink& sink) {
  for (const uint64_t number : deleted_)
    sink.Delete(StateKey(side, number));
  deleted_.clear();
  std::string value;
  for (auto row = rows_.rbegin(); row != rows_.rend() && row->is_changed; ++row) {
    EncodeRow(*row, value);
    sink.Put(StateKey(side, row->number), value);
    row->is_saved = true;
    row->is_changed = false;
    if (is_spilling_) PutRow(*row, value);
  }
}

Result<std::string_view> JoinTable::RowOf(std::string_view value) {
  if (value.size() < kHeaderBytes) return DamagedState("row of a join");
  const auto version = static_cast<uint8_t>(value.front());
  if (version != kStateVersion) {
    return DataLoss("a saved row of a join has version " + std::to_string(version) +
                    ", this program reads " + std::to_string(kStateVersion));
  }
  return value.substr(kHeaderBytes);
}

Status JoinTable::Restore(uint64_t number, std::string_view value, const std::string& key) {
  Row restored{.bytes = {}, .number = number, .is_saved = true};
  RETURN_IF_ERROR(DecodeRow(value, restored));
  Groups::reference group = GroupFor(key);
  rows_.push_back(std::move(restored));
  rows_.back().group = &group;
  group.second.rows.push_back(std::prev(rows_.end()));
  bytes_ += BytesOf(rows_.back());
  if (is_spilling_) PutRow(rows_.back(), value);
  next_number_ = std::max(next_number_, number + 1);
  is_settled_ = false;
  Trim();
  return {};
}

void JoinTable::Settle() {
  if (is_settled_) return;
  is_settled_ = true;
  rows_.sort([](const Row& a, const Row& b) {
    return std::tie(a.written_us, a.number) < std::tie(b.written_us, b.number);
  });
  for (auto& [key, group] : groups_)
    std::sort(group.rows.begin(), group.rows.end(), IsBefore);
}

// ---- What is out of memory ----

void JoinTable::SpillTo(ScratchSpace& space, uint8_t side, bool expires) {
  space_ = &space;
  side_ = side;
  expires_ = expires;
}

std::string JoinTable::SpaceKey(char kind, std::string_view rest) const {
  std::string key(1, static_cast<char>(side_));
  key.push_back(kind);
  return key.append(rest);
}

std::string JoinTable::RowKey(std::string_view key, uint64_t number) const {
  std::string row = SpaceKey(kRowKind, key);
  AppendSequence(row, number);
  return row;
}

std::string JoinTable::TimeKey(int64_t written_us, uint64_t number) const {
  std::string time = SpaceKey(kTimeKind, {});
  AppendSortable(time, written_us);
  AppendSequence(time, number);
  return time;
}

void JoinTable::PutRow(const Row& row, std::string_view value) {
  Groups::reference group = *row.group;
  if (!std::exchange(group.second.is_in_space, true)) {
    space_->Put(SpaceKey(kMarkKind, group.first), {});
  }
  space_->Put(RowKey(group.first, row.number), value);
  if (!expires_) return;
  space_->Put(TimeKey(row.written_us, row.number), group.first);
  oldest_us_ = std::min(oldest_us_, row.written_us);
}

void JoinTable::BeginSpilling() {
  is_spilling_ = true;
  std::string value;
  for (const Row& row : rows_) {
    if (row.is_changed) continue;  // it will be when it is saved
    EncodeRow(row, value);
    PutRow(row, value);
  }
}

void JoinTable::Load(Groups::reference group) {
  std::vector<Rows::iterator>& rows = group.second.rows;
  const size_t known = rows.size();  // these are as they are now, in the order of their numbers
  const auto load = [&](std::string_view key, std::string_view value) {
    Row row{.bytes = {},
            .number = SequenceOf(key),
            .is_saved = true,
            .is_loaded = true,
            .group = &group};
    const auto end = rows.begin() + static_cast<ptrdiff_t>(known);
    const auto here =
        std::lower_bound(rows.begin(), end, row.number, [](const auto& one, uint64_t number) {
          return one->number < number;
        });
    if (here != end && (*here)->number == row.number) return true;
    const Status status = DecodeRow(value, row);
    if (!status.ok()) space_->Fail(status);
    bytes_ += BytesOf(row);
    loaded_.push_back(std::move(row));
    rows.push_back(std::prev(loaded_.end()));
    group.second.is_in_space = true;
    return status.ok();
  };
  space_->Scan(SpaceKey(kRowKind, group.first), load);
  std::sort(rows.begin(), rows.end(), IsBefore);
  group.second.is_whole = true;
}

void JoinTable::Drop(Groups::iterator group) {
  for (const Rows::iterator row : group->second.rows) {
    bytes_ -= BytesOf(*row);
    ListOf(*row).erase(row);
  }
  bytes_ -= kGroupBytes + group->first.size();
  groups_.erase(group);
}

void JoinTable::Trim() {
  if (space_ == nullptr || !bound_.IsPassed(*space_, bytes_)) return;
  if (!is_spilling_) BeginSpilling();
  const size_t target = bound_.Target(*space_);
  const auto has_changed = [](const Rows::iterator& row) { return row->is_changed; };
  for (const bool is_last : {false, true}) {
    for (auto group = groups_.begin(); group != groups_.end() && bytes_ > target;) {
      const auto at = group++;
      const std::vector<Rows::iterator>& rows = at->second.rows;
      if (!is_last && at->second.used == pass_) continue;
      if (std::any_of(rows.begin(), rows.end(), has_changed)) continue;
      Drop(at);
    }
  }
  ++pass_;
  bound_.OnTrimmed(*space_, bytes_);
}

void JoinTable::ExpireSpilled(int64_t before_us) {
  oldest_us_ = INT64_MAX;
  const std::string prefix = SpaceKey(kTimeKind, {});
  space_->Scan(prefix, [&](std::string_view time, std::string_view key) {
    const uint64_t number = SequenceOf(time);
    time.remove_prefix(kKindBytes);
    int64_t written_us = 0;
    if (!TakeSortable(time, written_us)) {
      space_->Fail(DamagedState("time of a join's row"));
      return false;
    }
    if (written_us >= before_us) {
      oldest_us_ = written_us;
      return false;
    }
    ExpireRow(std::string(key), written_us, number);
    return true;
  });
}

void JoinTable::ExpireRow(const std::string& key, int64_t written_us, uint64_t number) {
  const auto group = groups_.find(key);
  if (group != groups_.end()) {
    const std::vector<Rows::iterator>& rows = group->second.rows;
    const auto row = std::find_if(
        rows.begin(), rows.end(), [&](const auto& one) { return one->number == number; });
    if (row != rows.end()) return Erase(*row);
  }
  deleted_.push_back(number);
  space_->Delete(RowKey(key, number));
  space_->Delete(TimeKey(written_us, number));
  if (group != groups_.end()) return;
  bool has_more = false;
  space_->Scan(SpaceKey(kRowKind, key), [&](std::string_view, std::string_view) {
    has_more = true;
    return false;
  });
  if (!has_more) space_->Delete(SpaceKey(kMarkKind, key));
}

void JoinTable::ClearSpilled() {
  space_->Scan(SpaceKey(kRowKind, {}), [this](std::string_view key, std::string_view) {
    deleted_.push_back(SequenceOf(key));
    space_->Delete(key);
    return true;
  });
  for (const char kind : {kTimeKind, kMarkKind}) {
    space_->Scan(SpaceKey(kind, {}), [this](std::string_view key, std::string_view) {
      space_->Delete(key);
      return true;
    });
  }
  oldest_us_ = INT64_MAX;
}

// By number, so what is wanted has to be known before it is read a second time, in that order.
Status JoinTable::VisitSpilled(const std::function<Status(const Row& row)>& visit) {
  std::map<uint64_t, std::string> keys;  // of rows, by number
  std::string value;
  Status status;
  space_->Scan(SpaceKey(kRowKind, {}), [&](std::string_view key, std::string_view saved) {
    Row row;
    status = DecodeRow(saved, row);
    if (row.matches == 0) keys.emplace(SequenceOf(key), key);
    return status.ok();
  });
  RETURN_IF_ERROR(status);
  std::map<uint64_t, const Row*> changed;  // they count as they are here
  for (const Row& row : rows_) {
    if (!row.is_changed) continue;
    keys.erase(row.number);
    if (row.matches == 0) changed.emplace(row.number, &row);
  }
  for (const auto& [number, row] : changed)
    keys.emplace(number, std::string());
  for (const auto& [number, key] : keys) {
    if (const auto found = changed.find(number); found != changed.end()) {
      RETURN_IF_ERROR(visit(*found->second));
      continue;
    }
    if (!space_->Get(key, value)) continue;
    Row row{.bytes = {}, .number = number};
    RETURN_IF_ERROR(DecodeRow(value, row));
    RETURN_IF_ERROR(visit(row));
  }
  return {};
}

}  // namespace slipstream::sql
