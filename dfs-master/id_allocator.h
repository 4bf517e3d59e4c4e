#pragma once

#include <cstdint>
#include <string>

#include "common/status/status.h"
#include "dfs-master/transaction.h"

namespace slipstream::dfs::master {

// IdAllocator: consecutive numbers, none given twice, over restarts too.
//
// Numbers come in ranges. The end of a range is written in the transaction of the request that
// first draws from it, and no request is answered before its transaction is durable; after a
// restart numbers go on at the end written last, so at most one range is skipped. The numbers that
// a dropped transaction drew are skipped, too.
// Threads: none; under the master's lock.
class IdAllocator final {
 public:
  // `name` is the key of the end in kMeta. The first number ever given is `first`.
  IdAllocator(std::string name, uint64_t first, uint64_t range);

  // Reads the mark. Called once, before the first Allocate.
  Status Load(const KeyValueStore& store);

  // Returns the first of `count` consecutive numbers.
  Result<uint64_t> Allocate(Transaction& txn, uint64_t count);

  // Gives none below `next` any more.
  void RaiseTo(Transaction& txn, uint64_t next);

  // Numbers below this may have been given.
  uint64_t next() const { return next_; }

 private:
  const std::string name_;
  const uint64_t range_;
  uint64_t next_;
};

}  // namespace slipstream::dfs::master
