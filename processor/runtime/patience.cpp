#include "processor/runtime/patience.h"

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "common/log/log.h"
#include "common/sync/mutex.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRetryPeriod{200};
constexpr std::chrono::seconds kMessagePeriod{5};

// Returns early, with false, when stopped.
bool Sleep(const std::stop_token& stop, milliseconds duration) {
  Mutex mutex;
  CondVar woken;
  std::stop_callback wake(stop, [&] {
    MutexLock lock(mutex);
    woken.NotifyAll();
  });
  MutexLock lock(mutex);
  if (!stop.stop_requested()) woken.WaitFor(mutex, duration);
  return !stop.stop_requested();
}

}  // namespace

Status Persist(const PatienceOptions& options, const std::function<Status()>& attempt) {
  const Clock& clock = SystemClock::Get();
  const SteadyTime deadline = clock.Now() + options.timeout;
  SteadyTime next_message = clock.Now();
  for (;;) {
    Status status = attempt();
    if (status.code() != options.transient && status.code() != Code::kUnavailable) return status;
    const SteadyTime now = clock.Now();
    if (now >= deadline) return status;
    if (now >= next_message) {
      next_message = now + kMessagePeriod;
      log::Get("processor.job")
          ->warn("waiting for={} reason={}", options.waiting_for, log::Quoted(status.message()));
    }
    if (!Sleep(options.stop, kRetryPeriod)) {
      return Cancelled(fmt::format("stopped while waiting for {}", options.waiting_for));
    }
  }
}

}  // namespace slipstream::runtime
