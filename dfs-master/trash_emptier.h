#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "dfs-master/namespace_tree.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// TrashEmptier: has the trash of every user emptied in time, as Hadoop's emptier does it.
//
// What `rm` removes is moved to /user/<name>/.Trash/Current. Each time an interval is over (counted
// from 1970, so at midnight UTC for one of a day) a round begins: of every user the *checkpoints*
// that are as old as the interval are deleted, then Current is renamed to a new one,
// /user/<name>/.Trash/<yyMMddHHmmss>, the time in UTC, with -1, -2 … behind it where that is taken.
// So what was removed stays for one interval to two. Anything else in a .Trash is left alone.
// A round that a restart interrupts is not resumed: the rest has its turn with the next one.
// Threads: none; under the master's lock.
class TrashEmptier final {
 public:
  // `tree` is borrowed. An interval of zero: there is no trash, and nothing is ever due.
  TrashEmptier(NamespaceTree& tree, std::chrono::milliseconds interval)
      : tree_(tree), interval_(interval) {}

  // Whether a round is under way, or due.
  bool IsDue(const Now& now);
  // Sees to the trash of one user more, if a round is under way; ends it after the last one. A step
  // looks at some hundred names at most. Of one that fails, that user's turn is the next round.
  // Returns whether the round goes on.
  Result<bool> Step(Transaction& txn, const Now& now);

  // The name of a checkpoint, and back; nullopt: of something else.
  static std::string CheckpointName(int64_t time_ms);
  static std::optional<int64_t> CheckpointTime(std::string_view name);

 private:
  Status DeleteCheckpoints(Transaction& txn, const std::string& trash, const Now& now);
  Status RollCurrent(Transaction& txn, const std::string& trash, const Now& now);

  NamespaceTree& tree_;
  const std::chrono::milliseconds interval_;
  std::optional<int64_t> interval_number_;  // now's, when a round was last due or nothing was
  bool is_under_way_ = false;
  std::string user_;  // seen to last
};

}  // namespace slipstream::dfs::master
