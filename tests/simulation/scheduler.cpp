#include "tests/simulation/scheduler.h"

#include <algorithm>
#include <utility>

#include "common/check/check.h"

namespace slipstream::simulation {
namespace {

// So that durations before the beginning are possible: 11 days.
constexpr std::chrono::seconds kSteadyStart{1'000'000};
constexpr std::chrono::milliseconds kWallStart{1'700'000'000'000};
constexpr size_t kWaitsAfterDeathMax = 10'000;

}  // namespace

struct Scheduler::Strand {
  Strand(uint64_t strand_number, Process* strand_process, std::function<void()> body)
      : number(strand_number), process(strand_process), fiber(std::move(body)) {}

  const uint64_t number;
  Process* const process;
  Fiber fiber;
  uint64_t wait = 0;  // counts the waits, so that a late wake-up of an earlier one does nothing
  bool is_parked = false;
  bool was_woken = false;
};

Scheduler::Scheduler(uint64_t seed, Trace& trace) : random_(seed), trace_(trace) {}

Scheduler::~Scheduler() {
  SLIPSTREAM_CHECK(fibers_.empty(), "a simulation ends with {} fibers", fibers_.size());
}

void Scheduler::At(Micros time, std::function<void()> action) {
  events_.push({.time = std::max(time, now_),
                .order = random_.Next(),
                .number = next_number_++,
                .action = std::move(action)});
}

void Scheduler::Spawn(Process* process, std::function<void()> body) {
  const uint64_t number = next_number_++;
  auto strand = std::make_unique<Strand>(number, process, std::move(body));
  Strand& added = *strand;
  fibers_.emplace(number, std::move(strand));
  if (process != nullptr) ++process->fibers_;
  At(now_, [this, &added] { Resume(added); });
}

void Scheduler::Resume(Strand& strand) {
  running_ = &strand;
  strand.fiber.Resume();
  running_ = nullptr;
  if (!strand.fiber.has_ended()) return;
  Process* process = strand.process;
  fibers_.erase(strand.number);
  if (process != nullptr) process->FiberEnded();
}

void Scheduler::RunUntil(Micros time) {
  while (!is_stopped_ && !events_.empty() && events_.top().time <= time) {
    // The queue gives only constant access to what it is about to drop.
    Event event = std::move(const_cast<Event&>(events_.top()));
    events_.pop();
    now_ = event.time;
    event.action();
  }
  if (!is_stopped_) now_ = std::max(now_, time);
}

void Scheduler::Drain() {
  is_draining_ = true;
  while (!fibers_.empty() || !events_.empty()) {
    // Of those that were woken the event to go on is in the queue.
    for (auto& [number, strand] : fibers_) {
      if (strand->is_parked) Wake(number, strand->wait);
    }
    Event event = std::move(const_cast<Event&>(events_.top()));
    events_.pop();
    event.action();
  }
}

bool Scheduler::Park(Micros deadline) {
  SLIPSTREAM_CHECK(running_ != nullptr, "only a fiber can wait");
  Strand& strand = *running_;
  if (is_draining_) return false;
  if (strand.process != nullptr && !strand.process->is_alive()) {
    SLIPSTREAM_CHECK(++strand.process->waits_after_death_ < kWaitsAfterDeathMax,
                     "{} does not end although it was killed",
                     strand.process->name());
    return false;
  }
  ++strand.wait;
  strand.is_parked = true;
  strand.was_woken = false;
  if (deadline != Micros::max()) {
    At(deadline, [this, number = strand.number, wait = strand.wait] {
      auto found = fibers_.find(number);
      if (found == fibers_.end()) return;
      Strand& due = *found->second;
      if (due.wait != wait || !due.is_parked) return;
      due.is_parked = false;
      Resume(due);
    });
  }
  strand.fiber.Yield();
  return strand.was_woken && (strand.process == nullptr || strand.process->is_alive());
}

void Scheduler::Wake(uint64_t number, uint64_t wait) {
  auto found = fibers_.find(number);
  if (found == fibers_.end()) return;
  Strand& strand = *found->second;
  if (strand.wait != wait || !strand.is_parked) return;
  strand.is_parked = false;
  strand.was_woken = true;
  At(now_, [this, &strand] { Resume(strand); });
}

bool Scheduler::Sleep(Micros duration, const std::stop_token& stop) {
  Process* process = current_process();
  if (stop.stop_requested() || (process != nullptr && !process->is_alive())) {
    Park(now_);
    return false;
  }
  const Micros deadline = now_ + duration;
  Signal stopped(*this);
  std::stop_callback wake(stop, [&] { stopped.Notify(); });
  stopped.Wait(deadline);
  return !is_draining_ && !stop.stop_requested() && (process == nullptr || process->is_alive());
}

Process* Scheduler::current_process() const {
  return running_ == nullptr ? nullptr : running_->process;
}

void Signal::Notify() {
  std::vector<Waiter> waiters = std::move(waiters_);
  waiters_.clear();
  for (const Waiter& waiter : waiters)
    scheduler_.Wake(waiter.strand, waiter.wait);
}

bool Signal::Wait(Micros deadline) {
  SLIPSTREAM_CHECK(scheduler_.running_ != nullptr, "only a fiber can wait");
  const Scheduler::Strand& strand = *scheduler_.running_;
  const Waiter waiter{.strand = strand.number, .wait = strand.wait + 1};
  waiters_.push_back(waiter);
  const bool was_woken = scheduler_.Park(deadline);
  std::erase(waiters_, waiter);  // after a deadline it is still there
  return was_woken;
}

Process::Process(Scheduler& scheduler, std::string name, Micros wall_offset)
    : scheduler_(scheduler), name_(std::move(name)), wall_offset_(wall_offset) {}

Process::~Process() {
  SLIPSTREAM_CHECK(fibers_ == 0, "{} is dropped with fibers", name_);
}

void Process::Kill(std::function<void()> on_ended) {
  if (!is_alive_) return;
  is_alive_ = false;
  on_ended_ = std::move(on_ended);
  stop_.request_stop();
  // Those that wait find out at once, in the order in which they began.
  for (auto& [number, strand] : scheduler_.fibers_) {
    if (strand->process == this && strand->is_parked) scheduler_.Wake(number, strand->wait);
  }
  EndIfDone();
}

void Process::FiberEnded() {
  --fibers_;
  EndIfDone();
}

void Process::EndIfDone() {
  if (is_alive_ || fibers_ != 0 || !on_ended_) return;
  // Not from here: whoever calls may be of the process itself.
  scheduler_.At(scheduler_.now(), std::exchange(on_ended_, nullptr));
}

SteadyTime Process::Now() const {
  return SteadyTime(kSteadyStart + scheduler_.now());
}

WallTime Process::WallNow() const {
  return WallTime(kWallStart +
                  std::chrono::floor<std::chrono::milliseconds>(scheduler_.now() + wall_offset_));
}

bool Process::Sleep(std::chrono::milliseconds duration, const std::stop_token& stop) {
  return scheduler_.Sleep(duration, stop) && is_alive_;
}

}  // namespace slipstream::simulation
