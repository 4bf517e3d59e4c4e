#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <spdlog/logger.h>

#include "common/kafka/partition_reader.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"
#include "processor/runtime/time_board.h"

namespace slipstream::runtime {

// SharedTime: what all tasks of the sources, here and elsewhere, have committed of their time, read
// from `<job>-time`; each source has a time of its own. And up to where the rows of all
// tasks that write a file sink are visible. Does nothing for jobs that need it not: those whose
// tasks are never idle, or alone with their source, and that write no folders which the event time
// of several tasks completes. Threads: the worker's.
class SharedTime final {
 public:
  explicit SharedTime(const JobContext& context);

  // Whether tasks must publish their time.
  bool is_needed() const { return is_needed_; }

  Status Open();
  // Takes in what has arrived, without waiting.
  Status Poll();
  // See TimeBoard.
  std::optional<EventTimeUs> ActiveWatermark(size_t source) const {
    return boards_[source].ActiveWatermark();
  }
  // File sinks whose folders are complete by the event time of several tasks.
  const std::vector<size_t>& timed_sinks() const { return timed_sinks_; }
  // The least of all tasks that write the file sink; kNoWatermark while one was not heard of.
  EventTimeUs VisibleTime(size_t sink) const;

 private:
  const JobContext& context_;
  const std::vector<size_t> timed_sinks_;
  const bool is_needed_;
  std::shared_ptr<spdlog::logger> log_;
  std::vector<TimeBoard> boards_;           // by source
  std::map<TimeKey, EventTimeUs> visible_;  // by task
  std::unique_ptr<kafka::PartitionReader> reader_;
};

}  // namespace slipstream::runtime
