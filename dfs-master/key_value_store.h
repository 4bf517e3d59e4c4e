#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::dfs::master {

// The master's tables. Keys and values are laid out in records.h; numbers in keys are big-endian,
// so that bytewise order is numeric order. The names of the tables are on disk (TableName).
enum class Table : uint8_t {
  kMeta,          // format version, allocation marks, totals
  kInodes,        // (parent inode, name) → inode
  kInodeNames,    // inode → (parent inode, name)
  kFileBlocks,    // (inode, offset in the file) → block
  kOrphans,       // inode → inode: cut off from the tree, waiting to be reaped
  kAppenders,     // owner → appender
  kPrepared,      // (owner, epoch, incarnation) → candidate
  kReservations,  // (parent inode, name) → owner, count: names of files prepared, not committed
  kOpenFiles,     // (owner, inode) → nothing
  kCollected,     // first block id → last block id: ids that may never be prepared any more
  kNodes,         // node id → its number
  kRequests,      // request id → when and what, and (when, request id) → nothing
  kQuotas,        // inode → quota
  kLeases,        // owner → how long his lease lasts
};
constexpr size_t kTableCount = 14;
const char* TableName(Table table);

// Changes that are carried out together or not at all. A later one of the same key wins.
class WriteBatch final {
 public:
  struct Change {
    Table table;
    std::string key;
    std::optional<std::string> value;  // nullopt: deleted
  };

  void Put(Table table, std::string key, std::string value) {
    changes_.push_back({table, std::move(key), std::move(value)});
  }
  void Delete(Table table, std::string key) {
    changes_.push_back({table, std::move(key), std::nullopt});
  }
  bool is_empty() const { return changes_.empty(); }
  const std::vector<Change>& changes() const { return changes_; }

 private:
  std::vector<Change> changes_;
};

// The tables as they were at one instant. Threads: thread-safe.
class KeyValueView {
 public:
  // Gets one entry; returns false to end the scan.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;

  virtual ~KeyValueView() = default;

  // As KeyValueStore::Scan.
  virtual Status Scan(Table table,
                      std::string_view begin,
                      std::string_view end,
                      const Visitor& visit) const = 0;
};

// KeyValueStore: ordered tables with one log.
//
// Apply makes a batch visible at once and gives its position in the log; Sync waits until the log
// is durable up to a position. So callers change state one after another under a lock of their
// own, which Apply does not hold for long, and wait for the disk outside of it, where one sync
// serves all who wait. The price: a read may see what is not durable yet; whoever answers from a
// read first waits for the position the store had then. After a crash a prefix of the log is
// there, never less than what was synced.
//
// Threads     thread-safe.
// Durability  as above.
// Errors      kDataLoss (damage), kUnavailable (disk). After an error of Apply or Sync the state is
//             uncertain: the process must end and start anew.
class KeyValueStore {
 public:
  struct Entry {
    std::string key;
    std::string value;
  };
  using Visitor = KeyValueView::Visitor;

  virtual ~KeyValueStore() = default;

  virtual Result<std::optional<std::string>> Get(Table table, std::string_view key) const = 0;
  // Hints at what Get is about to be asked for, some dozens of keys, so that what takes long to
  // fetch is fetched all at once.
  virtual void Prefetch(Table, std::span<const std::string>) const {}
  // Visits the keys of [begin, end) in order, as of one instant. An empty `end` is the table's end.
  // The visitor must not call the store.
  virtual Status Scan(Table table,
                      std::string_view begin,
                      std::string_view end,
                      const Visitor& visit) const = 0;
  // The greatest key of [begin, end).
  virtual Result<std::optional<Entry>> FindLast(Table table,
                                                std::string_view begin,
                                                std::string_view end) const = 0;

  // The tables as they are now, whatever changes later. Keeps old data from being dropped, so it is
  // not to be held for long; must not outlive the store.
  virtual std::unique_ptr<KeyValueView> Snapshot() const = 0;

  // Returns the position behind the batch. Positions grow, over restarts too.
  virtual Result<uint64_t> Apply(const WriteBatch& batch) = 0;
  // Returns when everything before `position` is durable.
  virtual Status Sync(uint64_t position) = 0;
  // Of the last batch applied, and of the last known to be durable.
  virtual uint64_t position() const = 0;
  virtual uint64_t durable_position() const = 0;
};

}  // namespace slipstream::dfs::master
