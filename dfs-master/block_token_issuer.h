#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/block/block_token.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"

namespace slipstream::dfs::master {

// BlockTokenIssuer: makes the keys of block tokens, a new one each kRotation, and seals tokens.
// Keys are this process's own: after a restart there are others, and the datanodes know both.
// Ownership  borrows the clock.
// Threads    thread-safe.
class BlockTokenIssuer final {
 public:
  static constexpr std::chrono::hours kRotation{1};

  explicit BlockTokenIssuer(const Clock& clock) : clock_(clock) {}

  std::string Issue(const block::Grant& grant);

  // Of the newest key: who knows it knows them all.
  uint32_t newest_key_id();
  // What datanodes are told, oldest first.
  std::vector<block::TokenKey> keys();

 private:
  struct Held {
    block::TokenKey key;
    std::shared_ptr<const block::TokenSealer> sealer;  // shared with those who seal right now
    SteadyTime made_at;
  };

  void Rotate() REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  std::vector<Held> held_ GUARDED_BY(mutex_);  // oldest first
};

}  // namespace slipstream::dfs::master
