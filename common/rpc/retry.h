#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <stop_token>

#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "common/status/status.h"

namespace slipstream::rpc {

// How long to wait between attempts: doubling from `initial` to `max`, each wait drawn evenly
// from its upper half, so that clients that failed together do not come back together.
class Backoff final {
 public:
  struct Options {
    std::chrono::milliseconds initial{50};
    std::chrono::milliseconds max{2'000};
  };

  Backoff(const Options& options, uint64_t seed);

  std::chrono::milliseconds Next();
  void Reset() { next_ = options_.initial; }

 private:
  const Options options_;
  std::chrono::milliseconds next_;
  std::mt19937_64 random_;
};

struct RetryOptions {
  Backoff::Options backoff;
  std::chrono::milliseconds timeout{30'000};  // for all attempts together
  std::chrono::milliseconds attempt_timeout_max{10'000};
  uint64_t seed = 0;     // of the jitter; 0: a random one
  std::stop_token stop;  // ends the waiting with kCancelled
  // Called before each wait, with why: to say what is waited for.
  std::function<void(const Status&)> on_retry;
  // The time that passes, and how it is let pass; borrowed.
  const Clock* clock = &SystemClock::Get();
  Sleeper* sleeper = &SystemSleeper::Get();
};

// Calls `attempt` until it returns anything but kUnavailable, or `timeout` has passed; then the
// last status. An attempt is told how long it may take; kDeadlineExceeded of one that was given
// less than the rest of the time counts as kUnavailable. Only for calls that may be carried out
// twice. Blocks the calling thread.
Status Retry(const RetryOptions& options,
             const std::function<Status(std::chrono::milliseconds attempt_timeout)>& attempt);

}  // namespace slipstream::rpc
