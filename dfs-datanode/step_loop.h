#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <thread>

#include "common/sync/mutex.h"

namespace slipstream::datanode {

// StepLoop: the thread of a background task whose work is cut into steps: calls `step`, waits for
// as long as that said or until Wake(), and calls it again. Who wants no threads calls the steps
// himself.
// Threads  Wake() is thread-safe, also before Start(); the rest from one thread.
class StepLoop final {
 public:
  // Returns how long to wait before the next step. Should end soon once stop was requested.
  using Step = std::function<std::chrono::milliseconds(const std::stop_token& stop)>;

  // When it is woken it waits for `settle_time` more: what comes together is done together.
  explicit StepLoop(Step step, std::chrono::milliseconds settle_time = std::chrono::milliseconds(0))
      : step_(std::move(step)), settle_time_(settle_time) {}
  ~StepLoop() { Stop(); }
  StepLoop(const StepLoop&) = delete;
  StepLoop& operator=(const StepLoop&) = delete;

  void Start();
  // Ends the thread, after the step under way; idempotent.
  void Stop();

  void Wake();

 private:
  void Run(const std::stop_token& stop);

  const Step step_;
  const std::chrono::milliseconds settle_time_;
  Mutex mutex_;
  CondVar condition_;
  bool is_woken_ GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace slipstream::datanode
