#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "processor/operators/cache_bound.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// RowStore: what operators keep of single rows: an ordered map from keys to encoded rows. An
// operator puts together its keys from pieces that sort as bytes do and of which none is the begin
// of another (KeyCodec, SortKeyCodec, AppendSortable): first the partition, then the order inside
// it, last a sequence number, so that the rows of a partition lie side by side in their order, and
// rows that are equal in all else stand as they came.
//
// Spilling    with a space, partitions that nothing happens to are out of memory once its cache is
//             full: from then on every saved entry is in the space too. An operator says which
//             partition it is about to look at (Load) or to add to (Open), and when it holds no
//             iterator (Trim). What is not in memory of a partition that was not loaded is as it
//             was saved.
// State       Put and Erase are remembered until SaveChanges writes them; a row that came and went
//             in between leaves no trace. One saved key for each entry, under the entry's key.
// Ownership   owns keys and rows; borrows the space. Iterators stay valid but for those of erased
//             entries, until Trim.
// Threads     none of its own.
class RowStore {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  // Before anything else.
  void SpillTo(ScratchSpace& space) { space_ = &space; }
  // Before entries whose keys begin with `partition` are put or looked at: brings them in. Of the
  // partitions of a store none is the begin of another. true: it was not in memory; without a space
  // everything is.
  bool Load(std::string_view partition) { return space_ != nullptr && LoadPartition(partition); }
  // The same, before entries with keys that were never there are put, and nothing is looked at:
  // what is out of memory stays there.
  void Open(std::string_view partition) {
    if (space_ != nullptr) OpenPartition(partition);
  }
  // Of a partition that need not have been loaded: the row of one entry; nullopt: it is not there.
  std::optional<std::string> Find(std::string_view partition, std::string_view key);
  // Likewise: takes out an entry that is there.
  void Erase(std::string_view partition, std::string_view key);
  // Puts out of memory what does not fit; partitions that changed since the last save stay.
  using OnDropped = std::function<void(const std::string& partition)>;
  void Trim(const OnDropped& on_dropped = nullptr);

  void Put(std::string_view key, std::string row);
  // The entry behind the erased one.
  Map::const_iterator Erase(Map::const_iterator entry);

  // Every entry whose key begins with `prefix`.
  void EraseAll(std::string_view prefix);
  // The same, of partitions that need not have been loaded, each when it was visited, in order.
  // What is out of memory does not come in.
  using Visit = std::function<Status(std::string_view key, std::string_view row)>;
  Status TakeAll(std::string_view prefix, const Visit& visit);

  const Map& entries() const { return entries_; }
  // The first entry whose key begins with `prefix`, and the first behind those.
  Map::const_iterator Begin(std::string_view prefix) const { return entries_.lower_bound(prefix); }
  Map::const_iterator End(std::string_view prefix) const;

  void SaveChanges(StateSink& sink);
  Status Restore(std::string_view key, std::string_view value);

 private:
  struct Partition {
    uint32_t used = 0;      // the pass of Trim that it was used before
    bool is_whole = false;  // no entry of it is in the space alone
  };
  using Partitions = std::unordered_map<std::string, Partition>;

  // Before an entry changes. `is_there`: it is in entries_.
  void Touch(std::string_view key, bool is_there);
  Partition& OpenPartition(std::string_view partition);
  bool LoadPartition(std::string_view partition);
  // Whether what entries_ says of the partition is all.
  bool IsWhole(std::string_view partition) const;
  void BeginSpilling();
  bool HasChanged(std::string_view partition) const;
  void Drop(std::string_view partition);

  Map entries_;
  // What changed since the last save: whether the key was saved before.
  std::map<std::string, bool, std::less<>> touched_;

  ScratchSpace* space_ = nullptr;
  bool is_spilling_ = false;  // saved entries are in the space
  Partitions partitions_;     // those with something in memory; only with a space
  CacheBound bound_;
  size_t bytes_ = 0;   // of entries and partitions; only with a space
  uint32_t pass_ = 1;  // of Trim
};

// The number at the end of a key, which entries are told apart by: 8 bytes, big-endian.
void AppendSequence(std::string& to, uint64_t number);
uint64_t SequenceOf(std::string_view key);

}  // namespace slipstream::sql
