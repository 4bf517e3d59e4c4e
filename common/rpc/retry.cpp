#include "common/rpc/retry.h"

#include <algorithm>
#include <optional>

namespace slipstream::rpc {

using std::chrono::milliseconds;

Backoff::Backoff(const Options& options, uint64_t seed)
    : options_(options), next_(options.initial), random_(seed) {}

milliseconds Backoff::Next() {
  int64_t upper = next_.count();
  std::uniform_int_distribution<int64_t> spread(upper - upper / 2, upper);
  next_ = std::min(next_ * 2, options_.max);
  return milliseconds(spread(random_));
}

Status Retry(const RetryOptions& options,
             const std::function<Status(milliseconds attempt_timeout)>& attempt) {
  const Clock& clock = *options.clock;
  const SteadyTime deadline = clock.Now() + options.timeout;
  // Most calls succeed at once, and the system's random source costs a good part of one.
  std::optional<Backoff> backoff;
  while (true) {
    auto rest = std::chrono::ceil<milliseconds>(deadline - clock.Now());
    milliseconds allowed = std::clamp(rest, milliseconds(1), options.attempt_timeout_max);
    Status status = attempt(allowed);
    bool may_retry = status.code() == Code::kUnavailable ||
                     (status.code() == Code::kDeadlineExceeded && allowed < rest);
    if (!may_retry) return status;
    if (!backoff.has_value()) {
      backoff.emplace(options.backoff, options.seed != 0 ? options.seed : std::random_device()());
    }
    const milliseconds pause = backoff->Next();
    if (clock.Now() + pause >= deadline) return status;
    if (options.on_retry) options.on_retry(status);
    if (!options.sleeper->Sleep(pause, options.stop)) {
      return Cancelled("stopped while waiting to retry");
    }
  }
}

}  // namespace slipstream::rpc
