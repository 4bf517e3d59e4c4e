#pragma once

#include <memory>
#include <optional>

#include <spdlog/logger.h>

#include "common/kafka/partition_reader.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"
#include "processor/runtime/time_board.h"

namespace slipstream::runtime {

// SharedTime: what all tasks of the job, here and elsewhere, have committed of their time, read
// from `<job>-time`. Does nothing for jobs that need it not: those whose tasks are never idle, or
// that have only one. Threads: the worker's.
class SharedTime final {
 public:
  explicit SharedTime(const JobContext& context);

  // Whether tasks must publish their time.
  bool is_needed() const { return is_needed_; }

  Status Open();
  // Takes in what has arrived, without waiting.
  Status Poll();
  // See TimeBoard.
  std::optional<EventTimeUs> ActiveWatermark() const { return board_.ActiveWatermark(); }

 private:
  const JobContext& context_;
  const bool is_needed_;
  std::shared_ptr<spdlog::logger> log_;
  TimeBoard board_;
  std::unique_ptr<kafka::PartitionReader> reader_;
};

}  // namespace slipstream::runtime
