#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "common/status/status.h"
#include "processor/runtime/job_options.h"
#include "processor/runtime/task_program.h"
#include "processor/runtime/worker.h"

namespace slipstream::runtime {

// JobRunner: runs a planned job in this process: waits for the brokers, sees to the topics, starts
// the workers and publishes what they do on the topic `slipstream-status`.
//
// Ownership  borrows the program; owns the workers and their threads while Run runs.
// Threads    Run once, on any thread; workers() on any.
// Blocking   Run, until the job is done, stopped or failed.
class JobRunner final {
 public:
  // `description`: what the job is, as JSON, for the status topic (docs/FORMATS.md, "Status");
  // empty: that is not said. Errors: kInvalidArgument (job name, properties, paths), and what
  // options.open_store says.
  static Result<std::unique_ptr<JobRunner>> Create(const JobProgram& program,
                                                   JobOptions options,
                                                   std::string description = {});
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  // OK when bounded input is through and everything is committed, or after `stop` was requested.
  // Errors: kUnavailable (brokers, topics or master not there within connect_timeout), and
  // whatever stopped a worker; the others are stopped then.
  Status Run(const std::stop_token& stop);

  // Whether all workers run their tasks and wait for nothing.
  bool is_ready() const;
  std::vector<WorkerStatus> workers() const;
  // See JobProgram.
  uint64_t lookup_rows_bad() const;
  // The workers as one JSON document, as it is on the status topic for each worker.
  std::string status_json() const;

 private:
  struct Impl;
  explicit JobRunner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipstream::runtime
