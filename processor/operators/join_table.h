#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/status/status.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// JoinTable: the rows of one side of a join as bytes, by join key, those of a key in the order of
// their arrival; equal rows stand side by side.
//
// State       what was written since the last save lies at the end of the list of all rows, which
//             is in the order of the last write; so saving costs as much as changed, and what is
//             too old stands at its begin. One saved key for each row: its number.
//             Format: docs/FORMATS.md, section "State".
// Ownership   owns its rows; pointers to them hold until they are removed.
// Threads     none of its own.
class JoinTable {
 public:
  struct Row;
  using Rows = std::list<Row>;
  struct Group {
    std::vector<Rows::iterator> rows;
  };
  using Groups = std::unordered_map<std::string, Group>;
  struct Row {
    std::string bytes;
    uint64_t number = 0;  // by arrival
    int64_t written_us = 0;
    uint32_t matches = 0;  // rows of the other side that it goes with, where that is counted
    bool is_saved = false;
    bool is_changed = false;
    Groups::pointer group = nullptr;
  };

  // The rows with that key; nullptr: there are none.
  const Group* Find(const std::string& key) const;
  void Add(const std::string& key, std::string bytes, uint32_t matches, int64_t now_us);
  // Takes out one row with these bytes, the one that came first; false: there is none.
  bool Remove(const std::string& key, std::string_view bytes);
  void SetMatches(Rows::iterator row, uint32_t matches, int64_t now_us);
  // Forgets what was last written before `before_us`.
  void Expire(int64_t before_us);
  void Clear();

  // In the order of their arrival.
  std::vector<const Row*> Sorted() const;

  // Keys begin with `side`.
  void SaveChanges(uint8_t side, StateSink& sink);
  // One row. `number` and `value` as saved, `key` the join key of the row, which starts at
  // RowOf(value).
  Status Restore(uint64_t number, std::string_view value, const std::string& key);
  // After all of Restore, once: puts what was restored in order.
  void Settle();

  // The row's bytes in a saved value. kDataLoss: it is none.
  static Result<std::string_view> RowOf(std::string_view value);

 private:
  void Touch(Rows::iterator row, int64_t now_us);
  void Erase(Rows::iterator row);

  Rows rows_;
  Groups groups_;
  std::vector<uint64_t> deleted_;  // rows that were saved and are gone since
  uint64_t next_number_ = 0;
  bool is_settled_ = true;
};

}  // namespace slipstream::sql
