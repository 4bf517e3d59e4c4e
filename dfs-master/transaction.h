#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/key_value_store.h"
#include "dfs-master/records.h"
#include "dfs-master/subtree_count.h"

namespace slipstream::dfs::master {

// Transaction: a request's view of the store: what the store holds, overlaid by what the request
// has changed so far. Nothing reaches the store before TakeBatch() is applied to it; a request
// that fails half-way is simply dropped.
//
// Threads: none; made, used and applied under the master's lock, so nothing changes underneath.
class Transaction final {
 public:
  explicit Transaction(const KeyValueStore& store) : store_(store) {}

  Result<std::optional<std::string>> Get(Table table, std::string_view key) const;
  // As KeyValueStore::Prefetch.
  void Prefetch(Table table, std::span<const std::string> keys) const {
    store_.Prefetch(table, keys);
  }
  // As KeyValueStore::Scan, the request's own changes included. Entries of the range that the
  // request changed are held in memory meanwhile.
  Status Scan(Table table,
              std::string_view begin,
              std::string_view end,
              const KeyValueStore::Visitor& visit) const;
  // As KeyValueStore::FindLast, the request's own changes included.
  Result<std::optional<KeyValueStore::Entry>> FindLast(Table table,
                                                       std::string_view begin,
                                                       std::string_view end) const;
  Result<bool> HasAny(Table table, std::string_view begin, std::string_view end) const;

  // A record and whether it is there.
  template <class Record>
  Result<std::optional<Record>> Load(Table table, std::string_view key) const {
    ASSIGN_OR_RETURN(std::optional<std::string> bytes, Get(table, key));
    if (!bytes.has_value()) return std::optional<Record>();
    Record record;
    RETURN_IF_ERROR(Decode(*bytes, record));
    return std::optional<Record>(std::move(record));
  }

  void Put(Table table, std::string key, std::string value) {
    changes_[{table, std::move(key)}].value = std::move(value);
  }
  // As Put, of a key that Get has just said is not there. Deleted again by the same request it
  // leaves no trace in the store.
  void PutNew(Table table, std::string key, std::string value) {
    auto [change, is_first] = changes_.try_emplace({table, std::move(key)});
    if (is_first) change->second.is_new = true;
    change->second.value = std::move(value);
  }
  void Delete(Table table, std::string key) {
    auto [change, is_first] = changes_.try_emplace({table, std::move(key)});
    if (change->second.is_new) {
      changes_.erase(change);
    } else {
      change->second.value.reset();
    }
  }

  // Totals are read and written by most changes; kept here until the batch is taken.
  Result<Totals*> totals();

  // Subtrees to be counted as they are once this is applied.
  void CountLater(SubtreeCount count) { counts_.push_back(std::move(count)); }
  std::vector<SubtreeCount> TakeCounts() { return std::exchange(counts_, {}); }

  // Inodes cut off: the reaper's, once this is applied.
  void AddOrphan(InodeId orphan) { orphans_.push_back(orphan); }
  std::vector<InodeId> TakeOrphans() { return std::exchange(orphans_, {}); }

  bool has_changes() const { return !changes_.empty(); }
  WriteBatch TakeBatch();

 private:
  const KeyValueStore& store_;
  using Key = std::pair<Table, std::string>;
  struct Before {
    using is_transparent = void;
    using View = std::pair<Table, std::string_view>;
    static View ToView(const Key& key) { return {key.first, key.second}; }
    bool operator()(const Key& a, const Key& b) const { return a < b; }
    bool operator()(const Key& a, const View& b) const { return ToView(a) < b; }
    bool operator()(const View& a, const Key& b) const { return a < ToView(b); }
  };
  struct Change {
    std::optional<std::string> value;  // none: deleted
    bool is_new = false;               // the store does not have the key
  };
  std::map<Key, Change, Before> changes_;
  std::optional<Totals> totals_;
  std::vector<SubtreeCount> counts_;
  std::vector<InodeId> orphans_;
};

// Keys of kMeta.
inline constexpr char kMetaFormat[] = "format";
inline constexpr char kMetaTotals[] = "totals";
inline constexpr char kMetaSafeMode[] = "safe_mode";  // there while it holds by hand
// The ends of ranges of ids (IdAllocator).
inline constexpr char kMetaInodeIdEnd[] = "inode_id_end";
inline constexpr char kMetaBlockIdEnd[] = "block_id_end";
inline constexpr char kMetaIncarnationEnd[] = "incarnation_end";

}  // namespace slipstream::dfs::master
