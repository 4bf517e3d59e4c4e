#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "dfs-master/key_value_store.h"

namespace slipstream::dfs::master {

// The KeyValueStore of a running master: one RocksDB, a column family for each table.
//
// Layout      RocksDB's own, under one directory, which RocksDB's LOCK file keeps to one process.
// Threads     thread-safe. Sync() blocks for an fsync; callers who wait at the same time share one.
// Durability  a batch is in the operating system's cache after Apply (a kill −9 loses nothing) and
//             on disk after Sync. A torn record at the log's end is dropped at opening; damage
//             before it refuses to open.
// Errors      as KeyValueStore; those of RocksDB's background work go to Options::on_fatal.
class RocksDbStore final : public KeyValueStore {
 public:
  struct Options {
    std::filesystem::path directory;
    // Called at most once, on any thread: RocksDB takes no more writes.
    std::function<void(const Status&)> on_fatal;
    size_t block_cache_bytes = size_t{64} << 20;
    size_t write_buffer_bytes = size_t{64} << 20;  // of all tables together
  };

  // Creates the database if there is none. Errors: kDataLoss (damage), kUnavailable (locked by
  // another process, disk).
  static Result<std::unique_ptr<RocksDbStore>> Open(const Options& options);
  ~RocksDbStore() override;

  // Copies the store as it is now into a directory that must not exist yet, durably, beside all
  // else: by hard links where it is the same file system. Returns up to which position all is in
  // it.
  Result<uint64_t> Checkpoint(const std::filesystem::path& directory) const;
  // Reads everything and checks it. kDataLoss.
  Status Verify() const;

  Result<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  Status Scan(Table table,
              std::string_view begin,
              std::string_view end,
              const Visitor& visit) const override;
  Result<std::optional<Entry>> FindLast(Table table,
                                        std::string_view begin,
                                        std::string_view end) const override;
  std::unique_ptr<KeyValueView> Snapshot() const override;
  Result<uint64_t> Apply(const WriteBatch& batch) override;
  Status Sync(uint64_t position) override;
  uint64_t position() const override;
  uint64_t durable_position() const override;

 private:
  struct Impl;
  explicit RocksDbStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::dfs::master
