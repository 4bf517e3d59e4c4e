#pragma once

#include <optional>
#include <stop_token>
#include <thread>

#include "common/sync/mutex.h"

namespace slipstream::processor {

// Interrupts: what the signals of a shell's process mean. SIGINT stops what runs, and only that;
// when nothing runs it takes back the line that is being typed, or ends the process where nobody
// types. SIGTERM and SIGHUP end the shell,
// after what runs has stopped. A second SIGINT for the same statement ends the process at once:
// what it had not committed is not done.
//
// From construction on the three signals are blocked in this thread and those it starts, and one
// thread of this class takes them.
// Threads  one at a time, besides its own.
class Interrupts final {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // Something begins to run; the token is what stops it.
  std::stop_token Begin();
  // It has ended. Whether it was stopped.
  bool End();

  // Becomes readable when a signal has come while nothing ran, until Clear. Not called: such a
  // signal ends the process.
  int WatchIdle();
  void Clear();
  // Whether the shell is to end.
  bool has_ended() const;

 private:
  void Serve();
  void OnSignal(int signal);

  const int signal_fd_;
  const int idle_fd_;
  const int end_fd_;  // ends the thread

  mutable Mutex mutex_;
  std::optional<std::stop_source> running_ GUARDED_BY(mutex_);
  bool is_idle_watched_ GUARDED_BY(mutex_) = false;
  bool has_ended_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace slipstream::processor
