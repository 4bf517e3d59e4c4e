#include "dfs-master/memory_store.h"

#include <utility>

namespace slipstream::dfs::master {
namespace {

template <class Tables>
void ApplyTo(Tables& tables, const WriteBatch& batch) {
  for (const WriteBatch::Change& change : batch.changes()) {
    auto& contents = tables[static_cast<size_t>(change.table)];
    if (change.value.has_value()) {
      contents.insert_or_assign(change.key, *change.value);
    } else {
      contents.erase(change.key);
    }
  }
}

}  // namespace

class MemoryStore::View final : public KeyValueView {
 public:
  explicit View(Tables tables) : tables_(std::move(tables)) {}

  Status Scan(Table table,
              std::string_view begin,
              std::string_view end,
              const Visitor& visit) const override {
    ScanTables(tables_, table, begin, end, visit);
    return {};
  }

 private:
  const Tables tables_;
};

Result<std::optional<std::string>> MemoryStore::Get(Table table, std::string_view key) const {
  MutexLock lock(mutex_);
  const Contents& contents = tables_[static_cast<size_t>(table)];
  auto it = contents.find(key);
  if (it == contents.end()) return std::optional<std::string>();
  return std::optional<std::string>(it->second);
}

Status MemoryStore::Scan(Table table,
                         std::string_view begin,
                         std::string_view end,
                         const Visitor& visit) const {
  MutexLock lock(mutex_);
  ScanTables(tables_, table, begin, end, visit);
  return {};
}

void MemoryStore::ScanTables(const Tables& tables,
                             Table table,
                             std::string_view begin,
                             std::string_view end,
                             const Visitor& visit) {
  const Contents& contents = tables[static_cast<size_t>(table)];
  for (auto it = contents.lower_bound(begin); it != contents.end(); ++it) {
    if (!end.empty() && it->first >= end) break;
    if (!visit(it->first, it->second)) break;
  }
}

std::unique_ptr<KeyValueView> MemoryStore::Snapshot() const {
  MutexLock lock(mutex_);
  return std::make_unique<View>(tables_);
}

Result<std::optional<KeyValueStore::Entry>> MemoryStore::FindLast(Table table,
                                                                  std::string_view begin,
                                                                  std::string_view end) const {
  MutexLock lock(mutex_);
  const Contents& contents = tables_[static_cast<size_t>(table)];
  auto it = end.empty() ? contents.end() : contents.lower_bound(end);
  if (it == contents.begin()) return std::optional<Entry>();
  --it;
  if (it->first < begin) return std::optional<Entry>();
  return std::optional<Entry>(Entry{.key = it->first, .value = it->second});
}

Result<uint64_t> MemoryStore::Apply(const WriteBatch& batch) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(write_error_);
  ApplyTo(tables_, batch);
  unsynced_.push_back(batch);
  return ++position_;
}

Status MemoryStore::Sync(uint64_t position) {
  MutexLock lock(mutex_);
  if (position <= durable_position_) return {};
  RETURN_IF_ERROR(write_error_);
  for (const WriteBatch& batch : unsynced_)
    ApplyTo(durable_tables_, batch);
  unsynced_.clear();
  durable_position_ = position_;
  return {};
}

uint64_t MemoryStore::position() const {
  MutexLock lock(mutex_);
  return position_;
}

uint64_t MemoryStore::durable_position() const {
  MutexLock lock(mutex_);
  return durable_position_;
}

void MemoryStore::Crash() {
  MutexLock lock(mutex_);
  tables_ = durable_tables_;
  unsynced_.clear();
  position_ = durable_position_;
}

void MemoryStore::FailWrites(Status status) {
  MutexLock lock(mutex_);
  write_error_ = std::move(status);
}

}  // namespace slipstream::dfs::master
