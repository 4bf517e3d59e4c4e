#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "processor/operators/cache_bound.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// JoinTable: the rows of one side of a join as bytes, by join key, those of a key in the order of
// their arrival; equal rows stand side by side.
//
// State       what was written since the last save lies at the end of the list of all rows, which
//             is in the order of the last write; so saving costs as much as changed, and what is
//             too old stands at its begin. One saved key for each row: its number.
//             Format: docs/FORMATS.md, section "State".
// Spilling    with a space, keys that nothing happens to are out of memory once its cache is full:
//             from then on every saved row is in the space too, below its join key, and with a time
//             to live a second time by when it was written. As long as all fits, nothing is there.
// Ownership   owns its rows; pointers to them hold until they are removed, and until Trim. Borrows
//             the space.
// Threads     none of its own.
class JoinTable {
 public:
  struct Row;
  using Rows = std::list<Row>;
  struct Group {
    std::vector<Rows::iterator> rows;
    uint32_t used = 0;         // the pass of Trim that it was used before
    bool is_whole = true;      // no row of it is in the space alone
    bool is_in_space = false;  // it has a mark there
  };
  using Groups = std::unordered_map<std::string, Group>;
  struct Row {
    std::string bytes;
    uint64_t number = 0;  // by arrival
    int64_t written_us = 0;
    uint32_t matches = 0;  // rows of the other side that it goes with, where that is counted
    bool is_saved = false;
    bool is_changed = false;
    bool is_loaded = false;  // from the space, and as it is there
    Groups::pointer group = nullptr;
  };

  // Before anything else. `side`: what its keys in the space begin with, which it shares with
  // others. `expires`: Expire will be called.
  void SpillTo(ScratchSpace& space, uint8_t side, bool expires);

  // The rows with that key; nullptr: there are none.
  const Group* Find(const std::string& key);
  void Add(const std::string& key, std::string bytes, uint32_t matches, int64_t now_us);
  // Takes out one row with these bytes, the one that came first; false: there is none.
  bool Remove(const std::string& key, std::string_view bytes);
  void SetMatches(Rows::iterator row, uint32_t matches, int64_t now_us);
  // Forgets what was last written before `before_us`.
  void Expire(int64_t before_us);
  void Clear();

  // Rows with matches = 0, in the order of their arrival.
  Status VisitUnmatched(const std::function<Status(const Row& row)>& visit);

  // Keys begin with `side`.
  void SaveChanges(uint8_t side, StateSink& sink);
  // One row. `number` and `value` as saved, `key` the join key of the row, which starts at
  // RowOf(value).
  Status Restore(uint64_t number, std::string_view value, const std::string& key);
  // After all of Restore, once: puts what was restored in order.
  void Settle();
  // Puts out of memory what does not fit. Keys with rows that changed since the last save stay.
  void Trim();
  size_t cached_bytes() const { return bytes_; }

  // The row's bytes in a saved value. kDataLoss: it is none.
  static Result<std::string_view> RowOf(std::string_view value);

 private:
  void Touch(Rows::iterator row, int64_t now_us);
  void Erase(Rows::iterator row);
  Groups::reference GroupFor(const std::string& key);
  Rows& ListOf(const Row& row) { return row.is_loaded ? loaded_ : rows_; }

  // Only with a space.
  void BeginSpilling();
  // Brings in what the space alone has of the group.
  void Load(Groups::reference group);
  void Drop(Groups::iterator group);
  void PutRow(const Row& row, std::string_view value);
  void ExpireSpilled(int64_t before_us);
  void ExpireRow(const std::string& key, int64_t written_us, uint64_t number);
  void ClearSpilled();
  Status VisitSpilled(const std::function<Status(const Row& row)>& visit);
  // Keys in the space.
  std::string SpaceKey(char kind, std::string_view rest) const;
  std::string RowKey(std::string_view key, uint64_t number) const;
  std::string TimeKey(int64_t written_us, uint64_t number) const;

  Rows rows_;
  Rows loaded_;  // in any order
  Groups groups_;
  std::vector<uint64_t> deleted_;  // rows that were saved and are gone since
  uint64_t next_number_ = 0;
  bool is_settled_ = true;

  ScratchSpace* space_ = nullptr;
  uint8_t side_ = 0;
  bool expires_ = false;
  bool is_spilling_ = false;       // saved rows are in the space
  int64_t oldest_us_ = INT64_MAX;  // nothing in the space was written before
  CacheBound bound_{2};            // there are two sides
  size_t bytes_ = 0;               // of what is in memory
  uint32_t pass_ = 1;              // of Trim
};

}  // namespace slipstream::sql
