#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "processor/app/command_line.h"
#include "processor/batch/table_files.h"
#include "processor/planner/plan.h"
#include "processor/runtime/job_options.h"
#include "processor/runtime/task_program.h"

namespace slipstream::processor {

// Runs the INSERTs of `plan`, whose source is Kafka, as the job `name`: compiles them, serves the
// admin port, publishes what the job is (`text`, its tables, its plan) and drives the runtime until
// bounded input is through or `stop` is requested (both OK), or something stops the job.
//
// Blocking  until then.
Status RunStreamingJob(const sql::JobPlan& plan,
                       const std::string& name,
                       const std::string& text,
                       const RunFlags& flags,
                       const std::stop_token& stop);

// The program of such a job. Asks the brokers for what it rests on; `files`, which lookup joins
// read, and `scratch`, where its state goes that does not fit into memory (null: it stays there),
// outlive it.
Result<std::unique_ptr<runtime::JobProgram>> CompileStreamingJob(const sql::JobPlan& plan,
                                                                 const RunFlags& flags,
                                                                 TableFiles& files,
                                                                 ScratchStore* scratch = nullptr);

// How such a job is run. Borrows `flags`.
Result<runtime::JobOptions> MakeJobOptions(const sql::JobPlan& plan,
                                           const std::string& name,
                                           const RunFlags& flags,
                                           const std::string& admin_address);

}  // namespace slipstream::processor
