#pragma once

#include <stop_token>
#include <string>

#include "common/status/status.h"
#include "processor/app/command_line.h"
#include "processor/planner/plan.h"

namespace slipstream::processor {

// Runs the INSERTs of `plan`, none of which reads Kafka, as the batch `name`: from the first file
// to one commit. kCancelled after `stop`, with nothing committed. Blocking  until then.
Status RunBatchJob(const sql::JobPlan& plan,
                   const std::string& name,
                   const JobFlags& flags,
                   const std::stop_token& stop);

// Prints the rows of one SELECT to stdout, as table, json or csv. kCancelled after `stop`.
Status PrintQuery(const sql::PlanNode& query,
                  const std::string& format,
                  const JobFlags& flags,
                  const std::stop_token& stop);

}  // namespace slipstream::processor
