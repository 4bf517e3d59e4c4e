#include "processor/operators/join_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/row_store.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
constexpr size_t kHeaderBytes = 1 + sizeof(int64_t) + sizeof(uint32_t);

std::string StateKey(uint8_t side, uint64_t number) {
  std::string key(1, static_cast<char>(side));
  AppendSequence(key, number);
  return key;
}

}  // namespace

const JoinTable::Group* JoinTable::Find(const std::string& key) const {
  const auto found = groups_.find(key);
  return found == groups_.end() ? nullptr : &found->second;
}

void JoinTable::Touch(Rows::iterator row, int64_t now_us) {
  row->written_us = now_us;
  row->is_changed = true;
  rows_.splice(rows_.end(), rows_, row);
}

void JoinTable::Add(const std::string& key, std::string bytes, uint32_t matches, int64_t now_us) {
  rows_.push_back({.bytes = std::move(bytes), .number = next_number_++, .matches = matches});
  const auto row = std::prev(rows_.end());
  Groups::reference group = *groups_.try_emplace(key).first;
  row->group = &group;
  group.second.rows.push_back(row);
  Touch(row, now_us);
}

void JoinTable::Erase(Rows::iterator row) {
  if (row->is_saved) deleted_.push_back(row->number);
  Groups::pointer group = row->group;
  std::erase(group->second.rows, row);
  if (group->second.rows.empty()) groups_.erase(groups_.find(group->first));
  rows_.erase(row);
}

bool JoinTable::Remove(const std::string& key, std::string_view bytes) {
  const auto found = groups_.find(key);
  if (found == groups_.end()) return false;
  const std::vector<Rows::iterator>& rows = found->second.rows;
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
}

void JoinTable::Clear() {
  for (const Row& row : rows_) {
    if (row.is_saved) deleted_.push_back(row.number);
  }
  groups_.clear();
  rows_.clear();
}

std::vector<const JoinTable::Row*> JoinTable::Sorted() const {
  std::vector<const Row*> sorted;
  for (const Row& row : rows_)
    sorted.push_back(&row);
  std::sort(sorted.begin(), sorted.end(), [](const Row* a, const Row* b) {
    return a->number < b->number;
  });
  return sorted;
}

void JoinTable::SaveChanges(uint8_t side, StateSink& sink) {
  for (const uint64_t number : deleted_)
    sink.Delete(StateKey(side, number));
  deleted_.clear();
  std::string value;
  for (auto row = rows_.rbegin(); row != rows_.rend() && row->is_changed; ++row) {
    value.assign(1, static_cast<char>(kStateVersion));
    PutInt64(value, row->written_us);
    PutNumber(value, row->matches);
    value += row->bytes;
    sink.Put(StateKey(side, row->number), value);
    row->is_saved = true;
    row->is_changed = false;
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
  ASSIGN_OR_RETURN(const std::string_view bytes, RowOf(value));
  Row restored{.bytes = std::string(bytes), .number = number, .is_saved = true};
  value.remove_prefix(1);
  if (!TakeInt64(value, restored.written_us) || !TakeNumber(value, restored.matches)) {
    return DamagedState("row of a join");
  }
  rows_.push_back(std::move(restored));
  Groups::reference group = *groups_.try_emplace(key).first;
  rows_.back().group = &group;
  group.second.rows.push_back(std::prev(rows_.end()));
  next_number_ = std::max(next_number_, number + 1);
  is_settled_ = false;
  return {};
}

void JoinTable::Settle() {
  if (is_settled_) return;
  is_settled_ = true;
  rows_.sort([](const Row& a, const Row& b) {
    return std::tie(a.written_us, a.number) < std::tie(b.written_us, b.number);
  });
  for (auto& [key, group] : groups_) {
    std::sort(group.rows.begin(), group.rows.end(), [](const auto& a, const auto& b) {
      return a->number < b->number;
    });
  }
}

}  // namespace slipstream::sql
