#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "common/sync/mutex.h"

namespace slipstream::dfs {

// 32 hex digits from the system's random source: a name that nothing else has.
std::string NewRandomId();

// RandomIds: such names from a seed, for requests that may arrive twice and for writers.
// Threads: thread-safe.
class RandomIds final {
 public:
  // `seed` 0: from the system's random source.
  explicit RandomIds(uint64_t seed);

  std::string Next();

 private:
  Mutex mutex_;
  std::mt19937_64 random_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::dfs
