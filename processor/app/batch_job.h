#pragma once

#include <stop_token>
#include <string>

#include "common/status/status.h"
#include "processor/app/command_line.h"
#include "processor/planner/plan.h"

namespace slipstream::processor {

// Runs the INSERTs of `plan`, none of which runs as tasks (sql::RunsAsTasks), as the batch `name`:
// from the first file to one commit. kCancelled after `stop`, with nothing committed, but for input
// that would not have ended by itself ('datagen'), which `stop` ends well. `is_bounded`: see
// sql::BatchJob. Blocking  until then.
Status RunBatchJob(const sql::JobPlan& plan,
                   const std::string& name,
                   bool is_bounded,
                   const JobFlags& flags,
                   const std::stop_token& stop);

// Prints the rows of one SELECT to stdout, as table, json or csv; those of input that does not end
// as csv instead of as a table. kCancelled after `stop`, but for such input, whose end that is.
Status PrintQuery(const sql::PlanNode& query,
                  const std::string& format,
                  const JobFlags& flags,
                  const std::stop_token& stop);

}  // namespace slipstream::processor
