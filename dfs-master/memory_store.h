#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>

#include "common/sync/mutex.h"
#include "dfs-master/key_value_store.h"

namespace slipstream::dfs::master {

// A KeyValueStore in memory, for the simulator and for tests: it can crash.
// Threads: thread-safe. Sync is immediate.
class MemoryStore final : public KeyValueStore {
 public:
  Result<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  Status Scan(Table table,
              std::string_view begin,
              std::string_view end,
              const Visitor& visit) const override;
  Result<std::optional<Entry>> FindLast(Table table,
                                        std::string_view begin,
                                        std::string_view end) const override;
  std::unique_ptr<KeyValueView> Snapshot() const override;  // a copy
  Result<uint64_t> Apply(const WriteBatch& batch) override;
  Status Sync(uint64_t position) override;
  uint64_t position() const override;
  uint64_t durable_position() const override;

  // What a power failure does: everything that was not synced is gone.
  void Crash();
  // From here on Apply and Sync fail with `status`, until it is OK again.
  void FailWrites(Status status);

 private:
  using Contents = std::map<std::string, std::string, std::less<>>;
  using Tables = std::array<Contents, kTableCount>;
  class View;

  static void ScanTables(const Tables& tables,
                         Table table,
                         std::string_view begin,
                         std::string_view end,
                         const Visitor& visit);

  mutable Mutex mutex_;
  Tables tables_ GUARDED_BY(mutex_);
  Tables durable_tables_ GUARDED_BY(mutex_);
  std::vector<WriteBatch> unsynced_ GUARDED_BY(mutex_);
  uint64_t position_ GUARDED_BY(mutex_) = 0;
  uint64_t durable_position_ GUARDED_BY(mutex_) = 0;
  Status write_error_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::dfs::master
