#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/block/block_token.h"
#include "common/clock/clock.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"

namespace slipstream::datanode {

// BlockTokenChecker: what the master has granted, by the keys that it told this node; and tokens
// for what nodes do among themselves: copies, and merges.
//
// A key that the master no longer tells of counts until kTokenKeyLife after it was first heard of,
// and until newer ones come: a master that was restarted has other keys, and those who read go on.
// Ownership  borrows the clock.
// Threads    thread-safe.
class BlockTokenChecker final {
 public:
  // More than a master has that is restarted every few minutes.
  static constexpr size_t kKeysMax = 1'000;

  explicit BlockTokenChecker(const Clock& clock) : clock_(clock) {}

  // All keys of the master, oldest first. Those that are none are passed over.
  void Take(const std::vector<block::TokenKey>& keys);

  // The newest that the master has told; 0: none yet.
  uint32_t newest_key_id() const;

  // Errors: kPermissionDenied (no token, or not for this); kUnavailable (its key is not known here,
  // any more or yet: ask the master for another token).
  Status Check(const block::Grant& grant, std::string_view token) const;

  // Empty before the first keys came.
  std::string Issue(const block::Grant& grant) const;

 private:
  struct Held {
    std::shared_ptr<const block::TokenSealer> sealer;  // shared with those who check right now
    SteadyTime heard_at;
  };

  const Clock& clock_;
  mutable Mutex mutex_;
  std::vector<Held> held_ GUARDED_BY(mutex_);  // in the order in which they came
  uint32_t newest_ GUARDED_BY(mutex_) = 0;
  std::shared_ptr<const block::TokenSealer> own_ GUARDED_BY(mutex_);  // seals this node's tokens
};

}  // namespace slipstream::datanode
