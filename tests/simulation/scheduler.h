#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock/clock.h"
#include "common/clock/sleep.h"
#include "tests/simulation/fiber.h"
#include "tests/simulation/random.h"
#include "tests/simulation/trace.h"

namespace slipstream::simulation {

// Simulated time since the simulation began.
using Micros = std::chrono::microseconds;

class Process;

// Scheduler: simulated time, and whose turn it is. What is due is done in the order of its time,
// and what is due at once in an order drawn from the seed; time jumps from one event to the next.
//
// Ownership  owns the fibers; borrows the trace and the processes, which must outlive it.
// Threads    not thread-safe: a simulation is one thread.
class Scheduler final {
 public:
  Scheduler(uint64_t seed, Trace& trace);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  Micros now() const { return now_; }
  Random& random() { return random_; }

  // For the trace.
  void Note(std::string_view what) { trace_.Add(now_.count(), what); }

  // `action` runs outside of any fiber and must not wait.
  void At(Micros time, std::function<void()> action);
  void After(Micros delay, std::function<void()> action) { At(now_ + delay, std::move(action)); }

  // Runs `body` in a fiber of its own, soon. `process` may be null: one that nothing kills.
  void Spawn(Process* process, std::function<void()> body);

  // Does what is due until `time`, or until Stop().
  void RunUntil(Micros time);
  void Stop() { is_stopped_ = true; }
  bool is_stopped() const { return is_stopped_; }
  // After Stop: no wait lasts any more, until every fiber has run out.
  void Drain();

  // From within a fiber: lets time pass. False, at once, when the fiber's process is killed or
  // `stop` is triggered.
  bool Sleep(Micros duration, const std::stop_token& stop = {});

  // Of the fiber that runs; null outside of one that has a process.
  Process* current_process() const;
  size_t fiber_count() const { return fibers_.size(); }

 private:
  friend class Signal;
  friend class Process;
  struct Strand;  // a fiber and what it waits for
  struct Event {
    Micros time;
    uint64_t order;
    uint64_t number;
    std::function<void()> action;
  };
  struct IsLater {
    bool operator()(const Event& a, const Event& b) const {
      if (a.time != b.time) return a.time > b.time;
      return a.order != b.order ? a.order > b.order : a.number > b.number;
    }
  };

  // The running fiber waits until it is woken or `deadline`; false at the deadline, or when its
  // process is dead.
  bool Park(Micros deadline);
  // Lets the fiber go on if it still is in its `wait`-th wait.
  void Wake(uint64_t strand, uint64_t wait);
  void Resume(Strand& strand);

  Random random_;
  Trace& trace_;
  Micros now_{0};
  bool is_stopped_ = false;
  bool is_draining_ = false;
  uint64_t next_number_ = 1;
  std::priority_queue<Event, std::vector<Event>, IsLater> events_;
  std::map<uint64_t, std::unique_ptr<Strand>> fibers_;
  Strand* running_ = nullptr;
};

// Signal: what fibers wait for. Ownership: borrows the scheduler. Notified outside of fibers, too.
class Signal final {
 public:
  explicit Signal(Scheduler& scheduler) : scheduler_(scheduler) {}

  void Notify();
  // Returns after a Notify (true), at `deadline`, or when the fiber's process dies (false). Wait in
  // a loop over the condition.
  bool Wait(Micros deadline);

 private:
  struct Waiter {
    uint64_t strand;
    uint64_t wait;
    friend bool operator==(const Waiter&, const Waiter&) = default;
  };
  Scheduler& scheduler_;
  std::vector<Waiter> waiters_;
};

// Process: one life of a program on a simulated machine: its clocks, its way to sleep, and its
// death. A killed process gets nothing done any more: its calls, sleeps and disk fail at once, and
// its fibers run out; when the last has, `on_ended` is called, outside of any fiber.
//
// Ownership  borrows the scheduler.
class Process final : public Clock, public Sleeper {
 public:
  // `wall_offset` is added to the time of day this process sees.
  Process(Scheduler& scheduler, std::string name, Micros wall_offset);
  ~Process() override;

  const std::string& name() const { return name_; }
  bool is_alive() const { return is_alive_; }
  std::stop_token stop_token() const { return stop_.get_token(); }
  Scheduler& scheduler() { return scheduler_; }

  void Kill(std::function<void()> on_ended);
  void JumpWall(Micros by) { wall_offset_ += by; }

  // Clock and Sleeper.
  SteadyTime Now() const override;
  WallTime WallNow() const override;
  bool Sleep(std::chrono::milliseconds duration, const std::stop_token& stop) override;

 private:
  friend class Scheduler;
  void FiberEnded();
  void EndIfDone();

  Scheduler& scheduler_;
  const std::string name_;
  Micros wall_offset_;
  bool is_alive_ = true;
  size_t fibers_ = 0;
  // Waits that a dead process asked for: a loop that does not notice its death is an error.
  size_t waits_after_death_ = 0;
  std::stop_source stop_;
  std::function<void()> on_ended_;
};

}  // namespace slipstream::simulation
