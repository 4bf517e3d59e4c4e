#pragma once

#include <stop_token>
#include <string>

#include "common/status/status.h"
#include "processor/app/command_line.h"
#include "processor/planner/plan.h"

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

}  // namespace slipstream::processor
