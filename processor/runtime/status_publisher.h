#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/clock.h"
#include "common/kafka/producer.h"
#include "common/status/status.h"
#include "processor/runtime/job_context.h"
#include "processor/runtime/worker.h"

namespace slipstream::runtime {

// What a task did of its time since its worker's last status.
struct TaskShares {
  double busy = 0;       // with its records
  double held_back = 0;  // not reading, since what it has given was being committed
};

// What a worker did since its last status.
struct WorkerRates {
  double rows_in_per_second = 0;
  double rows_out_per_second = 0;
  double busy_share = 0;               // of its time, spent on records
  double commit_share = 0;             // spent in commits
  std::vector<TaskShares> tasks = {};  // in the order of WorkerStatus::tasks
};

// One worker's state as JSON; docs/FORMATS.md, "Status".
std::string WorkerStatusJson(const JobContext& context,
                             const WorkerStatus& worker,
                             const WorkerRates& rates,
                             WallTime now);

// StatusPublisher: puts each worker's state on the compacted topic `slipstream-status`, under the
// worker's slot as key, and what the job is under its name. Threads: not thread-safe. Blocking:
// Retire.
class StatusPublisher final {
 public:
  // `description`: of the job, as JSON; empty: none.
  static Result<std::unique_ptr<StatusPublisher>> Create(const JobContext& context,
                                                         const Clock& clock,
                                                         std::string description);

  // Sent in the background; what does not arrive is replaced by the next.
  void Publish(const std::vector<WorkerStatus>& workers);
  // A tombstone for each worker: they have left on purpose.
  void Retire(const std::vector<WorkerStatus>& workers);

 private:
  struct Published {
    WorkerStatus worker;
    SteadyTime at;
  };
  // Since what was published last of the same worker.
  WorkerRates RatesOf(const WorkerStatus& worker, SteadyTime now) const;

  StatusPublisher(const JobContext& context, const Clock& clock, std::string description)
      : context_(context), clock_(clock), description_(std::move(description)) {}

  // Once a minute: a record that did not arrive is no loss for long.
  void DescribeJob();

  const JobContext& context_;
  const Clock& clock_;
  const std::string description_;
  std::optional<SteadyTime> described_at_;
  std::unique_ptr<kafka::Producer> producer_;
  kafka::Producer::Topic* topic_ = nullptr;
  std::vector<Published> last_;
};

}  // namespace slipstream::runtime
