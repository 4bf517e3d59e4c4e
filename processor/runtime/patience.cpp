#include "processor/runtime/patience.h"

#include <fmt/format.h>

#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "common/log/log.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRetryPeriod{200};
constexpr std::chrono::seconds kMessagePeriod{5};

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
    if (!SleepUnlessStopped(kRetryPeriod, options.stop)) {
      return Cancelled(fmt::format("stopped while waiting for {}", options.waiting_for));
    }
  }
}

}  // namespace slipstream::runtime
