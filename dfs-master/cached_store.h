#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <absl/container/flat_hash_set.h>

#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-master/key_value_store.h"

namespace slipstream::dfs::master {

// CachedStore: a store whose entries, once looked up, are kept in memory until others push them
// out, in the order they came, those asked for again meanwhile later. Resolving a path asks for the
// same few directories again and again, and a lookup in RocksDB costs some microseconds even where
// it reads nothing from disk. That a key is *not* there is kept as well: whoever creates a name
// asks first.
//
// Ownership   borrows the store beneath, which must outlive it, and whose changes must all come
//             through here.
// Memory      up to `capacity_bytes`, what the allocator and the table add included; grows with
//             use. Values over 4 KiB are not kept.
// Threads     thread-safe; one lock, which is held while the store beneath looks up or applies.
// All else    as the store beneath.
class CachedStore final : public KeyValueStore {
 public:
  CachedStore(KeyValueStore& store, size_t capacity_bytes);
  ~CachedStore() override;
  CachedStore(const CachedStore&) = delete;
  CachedStore& operator=(const CachedStore&) = delete;

  Result<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  // Of what is kept.
  void Prefetch(Table table, std::span<const std::string> keys) const override;
  Status Scan(Table table,
              std::string_view begin,
              std::string_view end,
              const Visitor& visit) const override {
    return store_.Scan(table, begin, end, visit);
  }
  Result<std::optional<Entry>> FindLast(Table table,
                                        std::string_view begin,
                                        std::string_view end) const override {
    return store_.FindLast(table, begin, end);
  }
  std::unique_ptr<KeyValueView> Snapshot() const override { return store_.Snapshot(); }
  Result<uint64_t> Apply(const WriteBatch& batch) override;
  Status Sync(uint64_t position) override { return store_.Sync(position); }
  uint64_t position() const override { return store_.position(); }
  uint64_t durable_position() const override { return store_.durable_position(); }

  size_t used_bytes() const;

 private:
  struct Row;
  struct RowKey {
    RowKey(Table of, std::string_view bytes);
    Table table;
    std::string_view key;
    size_t hash;
  };
  // With the row's hash, so that looking for another, or making room for more, leaves rows alone,
  // which are anywhere in memory.
  struct Slot {
    size_t hash;
    Row* row;
  };
  // Of a row, whatever it is: almost surely the one whose key has this hash.
  struct AnyWith {
    size_t hash;
  };
  struct SlotHash {
    using is_transparent = void;
    template <class Hashed>
    size_t operator()(const Hashed& hashed) const {
      return hashed.hash;
    }
  };
  struct SlotEqual {
    using is_transparent = void;
    bool operator()(const Slot& a, const Slot& b) const { return a.row == b.row; }
    bool operator()(const Slot& slot, const AnyWith& any) const { return slot.hash == any.hash; }
    bool operator()(const Slot& slot, const RowKey& key) const;
  };

  // All of these change the cache alone, which is no part of what the store says: hence const.
  void Keep(const RowKey& key, const std::optional<std::string>& value) const REQUIRES(mutex_);
  void DropOne() const REQUIRES(mutex_);
  void Drop(Row* row) const REQUIRES(mutex_);
  void Unlink(Row* row) const REQUIRES(mutex_);
  void LinkNewest(Row* row) const REQUIRES(mutex_);

  KeyValueStore& store_;
  const size_t capacity_bytes_;

  mutable Mutex mutex_;
  mutable absl::flat_hash_set<Slot, SlotHash, SlotEqual> rows_ GUARDED_BY(mutex_);
  mutable Row* newest_ GUARDED_BY(mutex_) = nullptr;
  mutable Row* oldest_ GUARDED_BY(mutex_) = nullptr;
  mutable size_t used_bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace slipstream::dfs::master
