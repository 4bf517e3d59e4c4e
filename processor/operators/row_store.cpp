#include "processor/operators/row_store.h"

#include <utility>

#include "processor/expr/state_bytes.h"

namespace slipstream::sql {
namespace {

constexpr uint8_t kStateVersion = 1;
constexpr size_t kSequenceBytes = 8;

}  // namespace

void RowStore::Touch(std::string_view key) {
  if (touched_.find(key) != touched_.end()) return;
  touched_.emplace(key, entries_.find(key) != entries_.end());
}

void RowStore::Put(std::string_view key, std::string row) {
  Touch(key);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    entries_.emplace(key, std::move(row));
  } else {
    found->second = std::move(row);
  }
}

RowStore::Map::const_iterator RowStore::Erase(Map::const_iterator entry) {
  Touch(entry->first);
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
    } else if (was_saved) {
      sink.Delete(key);
    }
  }
  touched_.clear();
}

Status RowStore::Restore(std::string_view key, std::string_view value) {
  uint8_t version = 0;
  if (key.size() < kSequenceBytes || !TakeByte(value, version)) return DamagedState("row's key");
  if (version != kStateVersion) {
    return DataLoss("a saved row has version " + std::to_string(version) + ", this program reads " +
                    std::to_string(kStateVersion));
  }
  entries_.emplace(key, value);
  return {};
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
