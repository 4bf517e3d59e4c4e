#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace slipstream::simulation {

// Fiber: a function with a stack of its own, that can be left in its middle and gone on with later.
// Blocking code (a client that calls the master, a handler that waits for the next datanode) runs
// in one, unchanged, and all of them on one thread: so nothing happens at the same time, and the
// order of all that happens is the scheduler's.
//
// Why not threads that hand a token on: every hand-over would go through the kernel's scheduler,
// and a run has very many; one between fibers is a few instructions. The price is an annotation for
// the address sanitizer, in fiber.cpp.
//
// A mutex held by a fiber that waits, and wanted by another, would stop the simulation for good:
// no lock is held over a call or a sleep.
// Threads: not thread-safe; all fibers of a thread are resumed by that thread.
class Fiber final {
 public:
  explicit Fiber(std::function<void()> body);
  // It must have ended, or never begun.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs it until it yields or ends. Not to be called from within a fiber.
  void Resume();
  // From within the fiber: goes back to whoever resumed it.
  void Yield();

  bool has_ended() const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace slipstream::simulation
