#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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
    Table table;
    std::string_view key;
  };
  struct RowHash {
    using is_transparent = void;
    size_t operator()(const RowKey& key) const;
    size_t operator()(const Row* row) const;
  };
  struct RowEqual {
    using is_transparent = void;
    bool operator()(const Row* a, const Row* b) const;
    bool operator()(const RowKey& a, const Row* b) const;
    bool operator()(const Row* a, const RowKey& b) const { return (*this)(b, a); }
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
  mutable absl::flat_hash_set<Row*, RowHash, RowEqual> rows_ GUARDED_BY(mutex_);
  mutable Row* newest_ GUARDED_BY(mutex_) = nullptr;
  mutable Row* oldest_ GUARDED_BY(mutex_) = nullptr;
  mutable size_t used_bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace slipstream::dfs::master
