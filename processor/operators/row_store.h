#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// RowStore: what operators keep of single rows: an ordered map from keys to encoded rows. An
// operator puts together its keys from pieces that sort as bytes do and of which none is the begin
// of another (KeyCodec, SortKeyCodec, AppendSortable): first the partition, then the order inside
// it, last a sequence number, so that the rows of a partition lie side by side in their order, and
// rows that are equal in all else stand as they came.
//
// State       Put and Erase are remembered until SaveChanges writes them; a row that came and went
//             in between leaves no trace. One saved key for each entry, under the entry's key.
// Ownership   owns keys and rows. Iterators stay valid but for those of erased entries.
// Threads     none of its own.
class RowStore {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  void Put(std::string_view key, std::string row);
  // The entry behind the erased one.
  Map::const_iterator Erase(Map::const_iterator entry);

  // Every entry whose key begins with `prefix`.
  void EraseAll(std::string_view prefix);

  const Map& entries() const { return entries_; }
  // The first entry whose key begins with `prefix`, and the first behind those.
  Map::const_iterator Begin(std::string_view prefix) const { return entries_.lower_bound(prefix); }
  Map::const_iterator End(std::string_view prefix) const;

  void SaveChanges(StateSink& sink);
  Status Restore(std::string_view key, std::string_view value);

 private:
  void Touch(std::string_view key);

  Map entries_;
  // What changed since the last save: whether the key was saved before.
  std::map<std::string, bool, std::less<>> touched_;
};

// The number at the end of a key, which entries are told apart by: 8 bytes, big-endian.
void AppendSequence(std::string& to, uint64_t number);
uint64_t SequenceOf(std::string_view key);

}  // namespace slipstream::sql
