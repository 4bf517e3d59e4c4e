#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "common/clock/clock.h"
#include "common/sync/mutex.h"

namespace slipstream::dfs {

// Notices: how the client says what it waits for or works around, so that a wait is never silent.
// At most one in `kInterval`; the others are dropped, since the next repeats what still holds.
//
// Threads  thread-safe.
class Notices final {
 public:
  static constexpr std::chrono::seconds kInterval{3};

  // Without `sink` they are log lines at level warn.
  explicit Notices(std::function<void(const std::string&)> sink,
                   const Clock& clock = SystemClock::Get())
      : sink_(std::move(sink)), clock_(clock) {}

  // `text` is for people: "waiting for the master at 127.0.0.1:7400: connection refused".
  void Say(const std::string& text);

 private:
  const std::function<void(const std::string&)> sink_;
  const Clock& clock_;
  Mutex mutex_;
  std::optional<SteadyTime> said_at_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::dfs
