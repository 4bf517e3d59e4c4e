#pragma once

#include <deque>

#include "common/clock/clock.h"
#include "common/status/status.h"

namespace slipstream::runtime {

// FailureBudget: tells what passes by itself, and is tried again, from what never ends. A worker
// that has used it up ends with the reason. Threads: not thread-safe.
class FailureBudget final {
 public:
  explicit FailureBudget(const Clock& clock) : clock_(clock) {}

  void OnCommitted() { failed_epochs_ = 0; }
  // The running epoch came to nothing and is begun again from the last commit. OK while that may be
  // an accident (a broker that restarts causes a few in a row, a record that it never takes causes
  // them for ever), else `why`.
  Status OnEpochFailed(const Status& why);
  // A client of Kafka is of no more use and another takes its place. OK for the first few in a
  // minute, else `why`.
  Status OnClientBroken(const Status& why);

 private:
  const Clock& clock_;
  int failed_epochs_ = 0;  // since the last commit
  std::deque<SteadyTime> broken_clients_;
};

}  // namespace slipstream::runtime
