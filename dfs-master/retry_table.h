#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// RetryTable: the requests that may be carried out only once and were, with what they were
// answered, so that one sent again after a lost answer is answered the same and not carried out.
//
// A success is remembered in the transaction of its change, so over restarts, too. Errors changed
// nothing; RefusalMemory keeps them.
// Bounds      kept for an hour; of more than Options::entries_max the oldest go earlier: two
//             million are what 10,000 requests a second leave in three minutes, and a client tries
//             a request again for half a minute. Those from before a restart are counted as none.
// Time        goes on from the newest entry and by the steady clock alone: where the wall clock
//             jumps, nothing is forgotten too early.
// Threads     none; under the master's lock. The entries are in the store alone; in memory is how
//             many there are for each second.
class RetryTable final {
 public:
  struct Options {
    std::chrono::milliseconds kept{3'600'000};
    uint64_t entries_max = 2'000'000;
  };
  struct Request {
    std::string_view id;        // up to 128 bytes; empty: to be carried out every time
    uint64_t content_hash = 0;  // of what is asked (HashContent)
  };

  explicit RetryTable(const Options& options) : options_(options) {}

  // Finds out what time it is in the table. Called once, before anything else.
  Status Load(const KeyValueStore& store, const Now& now);

  // The answer of a request that was carried out; empty where it has none but that. Errors:
  // kInvalidArgument for an id that is too long, or was another request's.
  static Result<std::optional<std::string>> Find(const Transaction& txn, const Request& request);
  // To be called just before the transaction is applied.
  void Remember(Transaction& txn, const Request& request, std::string_view answer, const Now& now);
  // Forgets up to `limit` that are too old or too many, and returns how many. It goes on where it
  // ended the last time, and so does not come by what it deleted.
  Result<size_t> Prune(Transaction& txn, size_t limit, const Now& now);

 private:
  int64_t TimeMs(const Now& now) const;
  // Everything from before this is to go.
  int64_t Horizon(const Now& now);

  const Options options_;
  int64_t base_ms_ = 0;                          // the table's time
  SteadyTime base_at_;                           // at this
  std::map<int64_t, uint64_t> count_by_second_;  // of those remembered since the start
  uint64_t count_ = 0;                           // their sum
  int64_t horizon_ms_ = 0;                       // of those that were too many
  std::string pruned_to_;                        // no key before this one
};

}  // namespace slipstream::dfs::master
