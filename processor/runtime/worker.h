#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"
#include "processor/runtime/task_program.h"

namespace slipstream::runtime {

// What a worker says of itself, for status and metrics.
struct WorkerStatus {
  struct TaskStatus {
    std::string topic;
    int32_t partition = 0;
    int64_t position = 0;
    int64_t end = -1;  // of the partition, as last told by the broker; -1: not yet
    EventTimeUs watermark = kNoWatermark;
    bool is_idle = false;
    bool is_done = false;
    double busy_seconds = 0;       // spent on its records, since it was made
    double held_back_seconds = 0;  // in commits of what it has given, during which it reads nothing
  };

  // A copy of a task that another worker owns; see Standbys.
  struct StandbyStatus {
    std::string topic;
    int32_t partition = 0;
    int64_t lag = -1;  // offsets of the changelog still to be read; -1: not yet caught up
  };

  std::string slot;
  std::string state;        // "joining", "restoring", "running", "waiting", "done", "stopped"
  std::string waiting_for;  // what holds it up, if anything
  std::vector<TaskStatus> tasks;
  std::vector<StandbyStatus> standbys;
  TaskProgram::Counters counters;  // of this process's life
  uint64_t commits = 0;
  uint64_t commits_failed = 0;  // nothing of the epoch counted; its records were read again
  double commit_seconds = 0;    // of all commits together, those that failed included
  double busy_seconds = 0;      // spent on records, commits left out
  uint64_t takeovers = 0;
};

// Worker: one thread's share of a job: a consumer, a transactional producer and the tasks of the
// partitions that the group assigns to it. Shares nothing with other workers; they meet in Kafka.
//
// Threads   Run on one thread; status() on any.
// Blocking  Run, until the job is done, stopped or failed.
class Worker final {
 public:
  // `slot`: this worker's name at Kafka, held by the caller.
  Worker(const JobContext& context, std::string slot, const Clock& clock);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // OK when all partitions of the job are done (bounded input), or after `stop`: then the open
  // epoch has been committed, if that was possible in time. Any other status is why the job cannot
  // go on.
  Status Run(const std::stop_token& stop);

  WorkerStatus status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::runtime
