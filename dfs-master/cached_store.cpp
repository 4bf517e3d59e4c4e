#include "dfs-master/cached_store.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include <absl/base/optimization.h>
#include <absl/hash/hash.h>

namespace slipstream::dfs::master {
namespace {

constexpr size_t kValueBytesMax = 4096;
// What the allocator and a slot of the hash table add to a row, about.
constexpr size_t kOverheadBytes = 36;

}  // namespace

// One allocation: this, then the key, then the value.
struct CachedStore::Row {
  Row* newer = nullptr;
  Row* older = nullptr;
  uint32_t key_size = 0;
  uint16_t value_size = 0;
  Table table = Table::kMeta;
  bool is_there : 1 = false;  // the store has the key
  bool is_used : 1 = false;   // asked for since it was linked

  static Row* Make(const RowKey& key, const std::optional<std::string>& value) {
    const size_t value_size = value.has_value() ? value->size() : 0;
    void* memory = std::malloc(sizeof(Row) + key.key.size() + value_size);
    if (memory == nullptr) throw std::bad_alloc();
    Row* row = new (memory) Row();
    row->key_size = static_cast<uint32_t>(key.key.size());
    row->value_size = static_cast<uint16_t>(value_size);
    row->table = key.table;
    row->is_there = value.has_value();
    if (row->key_size > 0) std::memcpy(row->bytes(), key.key.data(), row->key_size);
    if (value_size > 0) std::memcpy(row->bytes() + row->key_size, value->data(), value_size);
    return row;
  }
  static void Free(Row* row) { std::free(row); }

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  std::string_view key() const { return {bytes(), key_size}; }
  std::optional<std::string> value() const {
    if (!is_there) return std::nullopt;
    return std::string(bytes() + key_size, value_size);
  }
  // The header, a key and a value such as a file has lie in two lines of the processor's cache.
  void Prefetch() const {
    const char* begin = reinterpret_cast<const char*>(this);
    __builtin_prefetch(begin);
    __builtin_prefetch(begin + ABSL_CACHELINE_SIZE);
  }
  size_t used_bytes() const { return sizeof(Row) + key_size + value_size + kOverheadBytes; }
};

CachedStore::RowKey::RowKey(Table of, std::string_view bytes)
    : table(of),
      key(bytes),
      hash(absl::HashOf(static_cast<uint8_t>(of), absl::string_view(bytes.data(), bytes.size()))) {}

bool CachedStore::SlotEqual::operator()(const Slot& slot, const RowKey& key) const {
  return slot.hash == key.hash && slot.row->table == key.table && slot.row->key() == key.key;
}

CachedStore::CachedStore(KeyValueStore& store, size_t capacity_bytes)
    : store_(store), capacity_bytes_(capacity_bytes) {}

CachedStore::~CachedStore() {
  MutexLock lock(mutex_);
  for (const Slot& slot : rows_)
    Row::Free(slot.row);
}

Result<std::optional<std::string>> CachedStore::Get(Table table, std::string_view key) const {
  MutexLock lock(mutex_);
  const RowKey row_key(table, key);
  if (auto it = rows_.find(row_key); it != rows_.end()) {
    it->row->is_used = true;
    return it->row->value();
  }
  ASSIGN_OR_RETURN(std::optional<std::string> value, store_.Get(table, key));
  Keep(row_key, value);
  return value;
}

void CachedStore::Prefetch(Table table, std::span<const std::string> keys) const {
  std::vector<size_t> hashes;
  hashes.reserve(keys.size());
  MutexLock lock(mutex_);
  for (const std::string& key : keys) {
    const RowKey row_key(table, key);
    rows_.prefetch(row_key);
    hashes.push_back(row_key.hash);
  }
  for (size_t hash : hashes) {
    auto it = rows_.find(AnyWith{.hash = hash});
    if (it != rows_.end()) it->row->Prefetch();
  }
}

Result<uint64_t> CachedStore::Apply(const WriteBatch& batch) {
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(uint64_t position, store_.Apply(batch));
  for (const WriteBatch::Change& change : batch.changes()) {
    const RowKey key(change.table, change.key);
    auto it = rows_.find(key);
    if (it != rows_.end()) {
      Drop(it->row);
    } else if (change.table != Table::kInodes) {
      continue;  // it was not asked for: whether it ever will be is not known
    }            // a file just made is looked at soon
    Keep(key, change.value);
  }
  return position;
}

size_t CachedStore::used_bytes() const {
  MutexLock lock(mutex_);
  return used_bytes_;
}

void CachedStore::Keep(const RowKey& key, const std::optional<std::string>& value) const {
  if (value.has_value() && value->size() > kValueBytesMax) return;
  Row* row = Row::Make(key, value);
  if (row->used_bytes() > capacity_bytes_) return Row::Free(row);
  while (used_bytes_ + row->used_bytes() > capacity_bytes_)
    DropOne();
  rows_.insert({.hash = key.hash, .row = row});
  used_bytes_ += row->used_bytes();
  LinkNewest(row);
}

// A row that was asked for is moved when its turn comes, not when it is asked for: that would touch
// its neighbours, which are anywhere in memory.
void CachedStore::DropOne() const {
  while (oldest_->is_used) {
    Row* row = oldest_;
    row->is_used = false;
    Unlink(row);
    LinkNewest(row);
  }
  Drop(oldest_);
}

void CachedStore::Drop(Row* row) const {
  rows_.erase(RowKey(row->table, row->key()));
  used_bytes_ -= row->used_bytes();
  Unlink(row);
  Row::Free(row);
}

void CachedStore::Unlink(Row* row) const {
  (row->newer == nullptr ? newest_ : row->newer->older) = row->older;
  (row->older == nullptr ? oldest_ : row->older->newer) = row->newer;
}

void CachedStore::LinkNewest(Row* row) const {
  row->newer = nullptr;
  row->older = newest_;
  (newest_ == nullptr ? oldest_ : newest_->newer) = row;
  newest_ = row;
}

}  // namespace slipstream::dfs::master
