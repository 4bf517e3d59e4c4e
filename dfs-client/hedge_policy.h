#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "common/sync/mutex.h"

namespace slipstream::dfs {

// HedgePolicy: when a read has taken so long that a second replica is asked beside the first, and
// how often that may be. It learns from the reads of its client.
//
// Threads  thread-safe.
class HedgePolicy final {
 public:
  using Duration = std::chrono::microseconds;

  // Before there is anything to go by.
  static constexpr Duration kDelayAtFirst{250'000};
  static constexpr Duration kDelayMin{20'000};
  // Hedges for each read that ended, so that a cluster that is slow as a whole is not made slower.
  static constexpr double kShareMax = 0.1;
  // What may be saved up; also there at the beginning, so that the first reads of a client, which
  // may all wait for the same node, can be helped.
  static constexpr double kSavedMax = 5;

  // How long a read of `bytes` may take: twice what 95 of 100 like it took lately. Twice, since by
  // definition one read in twenty is over the percentile where all is well.
  Duration Delay(uint64_t bytes) const;

  // A read that a replica answered in full.
  void Record(uint64_t bytes, Duration took);

  // Whether a hedge is allowed now; if so it is counted.
  bool TryTake();

 private:
  static constexpr size_t kRemembered = 128;
  static constexpr size_t kEnough = 16;

  // Reads of like length.
  struct Class {
    std::array<Duration, kRemembered> took{};
    size_t count = 0;  // of all that were ever recorded
    Duration delay = kDelayAtFirst;
  };
  static size_t ClassOf(uint64_t bytes);
  static Duration DelayAfter(const Class& like);

  mutable Mutex mutex_;
  std::array<Class, 4> classes_ GUARDED_BY(mutex_);
  double saved_ GUARDED_BY(mutex_) = kSavedMax;
};

}  // namespace slipstream::dfs
