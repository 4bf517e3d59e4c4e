#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace slipstream::daemon {

// ControlLoop: the main thread of a process: its signals and its periodic tasks, one at a time.
//
// From construction on SIGTERM and SIGINT make Run() return, and SIGPIPE is ignored. After the
// first signal both have their default effect again: a second one ends a process that hangs in
// its drain.
// Threads   tasks run on the thread in Run(); state that only they touch needs no lock. They must
//           not block for long. Post and Stop may be called from any thread, the rest from the
//           thread that made the loop.
class ControlLoop final {
 public:
  ControlLoop();
  ~ControlLoop();
  ControlLoop(const ControlLoop&) = delete;
  ControlLoop& operator=(const ControlLoop&) = delete;

  // Runs `task` every `period`, for the first time one period from now. A task that overruns its
  // period is not made up for.
  void Every(std::chrono::milliseconds period, std::function<void()> task);

  // Runs `task` once, soon.
  void Post(std::function<void()> task);

  // Runs tasks until a signal comes, then returns its number, or until Stop(), then returns 0;
  // tells the service manager, if one waits, that the process is stopping.
  int Run();

  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::daemon
