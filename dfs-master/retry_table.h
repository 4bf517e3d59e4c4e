#pragma once

#include <cstddef>
#include <cstdint>
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
// nothing; RefusalMemory keeps them. Kept for an hour, in the store alone.
// Threads: none; under the master's lock. The state is all in the store.
class RetryTable final {
 public:
  struct Request {
    std::string_view id;        // up to 128 bytes; empty: to be carried out every time
    uint64_t content_hash = 0;  // of what is asked (HashContent)
  };

  // The answer of a request that was carried out; empty where it has none but that. Errors:
  // kInvalidArgument for an id that is too long, or was another request's.
  static Result<std::optional<std::string>> Find(const Transaction& txn, const Request& request);
  static void Remember(Transaction& txn,
                       const Request& request,
                       std::string_view answer,
                       const Now& now);
  // Forgets up to `limit` that are too old, and returns how many.
  static Result<size_t> Prune(Transaction& txn, size_t limit, const Now& now);
};

}  // namespace slipstream::dfs::master
