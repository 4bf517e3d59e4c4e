#include "dfs-master/transaction.h"

namespace slipstream::dfs::master {

Result<std::optional<std::string>> Transaction::Get(Table table, std::string_view key) const {
  if (auto it = changes_.find({table, std::string(key)}); it != changes_.end()) return it->second;
  return store_.Get(table, key);
}

Status Transaction::Scan(Table table,
                         std::string_view begin,
                         std::string_view end,
                         const KeyValueStore::Visitor& visit) const {
  auto own = changes_.lower_bound({table, std::string(begin)});
  auto own_is_in_range = [&] {
    return own != changes_.end() && own->first.first == table &&
           (end.empty() || own->first.second < end);
  };
  bool is_ended = false;
  auto visit_own = [&] {
    if (own->second.has_value()) is_ended = !visit(own->first.second, *own->second);
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
  for (auto& [key, value] : changes_) {
    if (value.has_value()) {
      batch.Put(key.first, key.second, std::move(*value));
    } else {
      batch.Delete(key.first, key.second);
    }
  }
  changes_.clear();
  totals_.reset();
  return batch;
}

}  // namespace slipstream::dfs::master
