#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "dfs-master/transaction.h"
#include "dfs-master/types.h"

namespace slipstream::dfs::master {

// LeaseTable: which appenders are given up when nothing is heard of them, and when something was.
//
// How long a lease lasts is kept in the store, when its owner was last heard of in memory only:
// after a restart every lease begins anew, since nobody could renew it meanwhile. It also does when
// the master itself stood still (a stopped process, a stalled disk): what it did not hear then says
// nothing about its writers. An appender without a lease is never given up.
// Threads: none; under the master's lock.
class LeaseTable final {
 public:
  static constexpr std::chrono::milliseconds kLengthMin{1'000};
  static constexpr std::chrono::milliseconds kLengthMax{3'600'000};
  // Longer than this between two calls of Over(): the master stood still.
  static constexpr std::chrono::milliseconds kStandstill{10'000};

  // What a writer asks for: zero, none, or a length within the bounds. Errors: kInvalidArgument.
  static Status Check(std::chrono::milliseconds length);

  Status Load(const KeyValueStore& store, const Now& now);

  // Gives `owner` a lease of that length from now on; zero: takes away the one he has. To be called
  // just before the transaction is applied: this changes the table even if that were dropped.
  void Grant(Transaction& txn,
             std::string_view owner,
             std::chrono::milliseconds length,
             const Now& now);
  // Ends a lease, if there is one; the same holds.
  void End(Transaction& txn, std::string_view owner);

  // The owner was heard of.
  void Touch(std::string_view owner, const Now& now);
  void TouchAll(const Now& now);

  bool Has(std::string_view owner) const { return leases_.find(owner) != leases_.end(); }
  // Zero: none.
  std::chrono::milliseconds LengthOf(std::string_view owner) const;

  // Owners whose lease is over, at most `limit`. To be asked once a second.
  std::vector<std::string> Over(size_t limit, const Now& now);

 private:
  struct Lease {
    std::chrono::milliseconds length;
    SteadyTime heard_at;

    SteadyTime over_at() const { return heard_at + length; }
  };

  std::map<std::string, Lease, std::less<>> leases_;
  // No lease is over before this: who is heard of only moves it on.
  SteadyTime none_over_before_;
  SteadyTime asked_at_;
};

}  // namespace slipstream::dfs::master
