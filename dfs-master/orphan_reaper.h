#pragma once

#include <cstddef>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// OrphanReaper: takes apart what was deleted, in steps, so that deleting a tree of millions takes
// no longer than deleting a file. A directory's children become orphans themselves, a file's blocks
// are given up, and what is empty goes.
// Threads: none; under the master's lock. The state is all in the store.
class OrphanReaper final {
 public:
  // Takes one step of at most `limit` children and blocks and appends the blocks given up to
  // `discarded`. Returns whether there is more to do.
  static Result<bool> Step(Transaction& txn, size_t limit, std::vector<BlockId>& discarded);

 private:
  static Result<size_t> ReapChildren(Transaction& txn, InodeId directory, size_t limit);
  static Result<size_t> ReapBlocks(Transaction& txn,
                                   InodeId file,
                                   size_t limit,
                                   std::vector<BlockId>& discarded);
};

}  // namespace slipstream::dfs::master
