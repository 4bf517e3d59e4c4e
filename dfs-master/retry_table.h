#pragma once

#include <cstddef>
#include <string_view>

#include "common/status/status.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// RetryTable: which requests that may be carried out only once were, so that one sent again after
// a lost answer is answered and not carried out. Kept for an hour.
// Threads: none; under the master's lock. The state is all in the store.
class RetryTable final {
 public:
  // True where `request_id` was remembered; an empty id never is. kInvalidArgument past 128 bytes.
  static Result<bool> Contains(const Transaction& txn, std::string_view request_id);
  static void Remember(Transaction& txn, std::string_view request_id, const Now& now);
  // Forgets up to `limit` that are too old.
  static Status Prune(Transaction& txn, size_t limit, const Now& now);
};

}  // namespace slipstream::dfs::master
