#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "common/status/status.h"

namespace slipstream::runtime {

// DeadLetterLimit: tells a few bad records from a job that fits its input no more. Watches the
// share of dead letters among the last kWindowRecords records of one task, in whole batches.
// Threads: not thread-safe.
class DeadLetterLimit final {
 public:
  static constexpr uint64_t kWindowRecords = 10'000;
  // Fewer say nothing about a share.
  static constexpr uint64_t kRecordsMin = 100;

  // `max_share`: of all records; 1: no limit.
  explicit DeadLetterLimit(double max_share) : max_share_(max_share) {}

  // A record of the batch at hand goes to the dead letters.
  void Count(std::string_view error);
  // The batch is through. kFailedPrecondition with the share and the last error once it is above
  // the limit: nothing of the running epoch may be committed then.
  Status EndBatch(uint64_t record_count);

 private:
  struct Batch {
    uint64_t records = 0;
    uint64_t dead = 0;
  };

  const double max_share_;
  std::deque<Batch> batches_;
  Batch total_;
  uint64_t dead_in_batch_ = 0;
  std::string last_error_;
};

}  // namespace slipstream::runtime
