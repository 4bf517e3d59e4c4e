#include "common/clock/sleep.h"

#include "common/clock/clock.h"
#include "common/sync/mutex.h"

namespace slipstream {

bool SleepUnlessStopped(std::chrono::milliseconds duration, const std::stop_token& stop) {
  const Clock& clock = SystemClock::Get();
  const SteadyTime deadline = clock.Now() + duration;
  Mutex mutex;
  CondVar woken;
  std::stop_callback wake(stop, [&] {
    MutexLock lock(mutex);
    woken.NotifyAll();
  });
  MutexLock lock(mutex);
  for (SteadyTime now = clock.Now(); now < deadline && !stop.stop_requested(); now = clock.Now()) {
    woken.WaitFor(mutex, deadline - now);
  }
  return !stop.stop_requested();
}

SystemSleeper& SystemSleeper::Get() {
  static SystemSleeper sleeper;
  return sleeper;
}

bool SystemSleeper::Sleep(std::chrono::milliseconds duration, const std::stop_token& stop) {
  return SleepUnlessStopped(duration, stop);
}

}  // namespace slipstream
