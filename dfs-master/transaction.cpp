#include "dfs-master/transaction.h"

namespace slipstream::dfs::master {

Result<std::optional<std::string>> Transaction::Get(Table table, std::string_view key) const {
  if (auto it = changes_.find(std::pair(table, key)); it != changes_.end()) {
    return it->second.value;
  }
  return store_.Get(table, key);
}

Status Transaction::Scan(Table table,
                         std::string_view begin,
                         std::string_view end,
                         const KeyValueStore::Visitor& visit) const {
  auto own = changes_.lower_bound(std::pair(table, begin));
  auto own_is_in_range = [&] {
    return own != changes_.end() && own->first.first == table &&
           (end.empty() || own->first.second < end);
  };
  bool is_ended = false;
  auto visit_own = [&] {
    const std::optional<std::string>& value = own->second.value;
    if (value.has_value()) is_ended = !visit(own->first.second, *value);
    ++own;
  };
  auto merge = [&](std::string_view key, std::string_view value) {
    while (!is_ended && own_is_in_range() && own->first.second < key)
      visit_own();
    if (is_ended) return false;
    if (own_is_in_range() && own->first.second == key) {
      visit_own();
    } else {
      is_ended = !visit(key, value);
    }
    return !is_ended;
  };
  RETURN_IF_ERROR(store_.Scan(table, begin, end, merge));
  while (!is_ended && own_is_in_range())
    visit_own();
  return {};
}

Result<std::optional<KeyValueStore::Entry>> Transaction::FindLast(Table table,
                                                                  std::string_view begin,
                                                                  std::string_view end) const {
  // The last of the store's that is not deleted here, and the last of our own: the greater one.
  std::string behind(end);
  ASSIGN_OR_RETURN(std::optional<KeyValueStore::Entry> last, store_.FindLast(table, begin, behind));
  while (last.has_value()) {
    auto own = changes_.find(std::pair(table, std::string_view(last->key)));
    if (own == changes_.end() || own->second.value.has_value()) break;
    behind = last->key;
    ASSIGN_OR_RETURN(last, store_.FindLast(table, begin, behind));
  }
  const auto next_table = static_cast<Table>(static_cast<uint8_t>(table) + 1);
  auto own = end.empty() ? changes_.lower_bound(std::pair(next_table, std::string_view()))
                         : changes_.lower_bound(std::pair(table, end));
  while (own != changes_.begin()) {
    --own;
    const auto& [key, change] = *own;
    if (key.first != table || key.second < begin) break;
    if (last.has_value() && key.second < last->key) break;
    if (change.value.has_value()) {
      return std::optional(KeyValueStore::Entry{.key = key.second, .value = *change.value});
    }
  }
  return last;
}

Result<bool> Transaction::HasAny(Table table, std::string_view begin, std::string_view end) const {
  bool has_any = false;
  RETURN_IF_ERROR(Scan(table, begin, end, [&](std::string_view, std::string_view) {
    has_any = true;
    return false;
  }));
  return has_any;
}

Result<Totals*> Transaction::totals() {
  if (!totals_.has_value()) {
    ASSIGN_OR_RETURN(std::optional<Totals> stored, Load<Totals>(Table::kMeta, kMetaTotals));
    totals_ = stored.value_or(Totals{});
  }
  return &*totals_;
}

WriteBatch Transaction::TakeBatch() {
  if (totals_.has_value()) Put(Table::kMeta, kMetaTotals, Encode(*totals_));
  WriteBatch batch;
  for (auto& [key, change] : changes_) {
    if (change.value.has_value()) {
      batch.Put(key.first, key.second, std::move(*change.value));
    } else {
      batch.Delete(key.first, key.second);
    }
  }
  changes_.clear();
  totals_.reset();
  return batch;
}

}  // namespace slipstream::dfs::master
