#pragma once

#include <string>

#include "common/status/status.h"
#include "processor/app/command_line.h"
#include "processor/planner/planner.h"

namespace slipstream::processor {

// The text of a SQL file of at most 1 MiB. Errors: kNotFound and the like, kInvalidArgument (too
// large).
Result<std::string> ReadSqlFile(const std::string& path);

// Declares the tables and views of every --catalog file.
Status LoadCatalogs(const JobFlags& flags, sql::Planner& planner);

// The plan of a job file, behind its catalogs. `is_bounded`: every input ends. Errors: those of
// reading a file; kInvalidArgument and kUnimplemented with the place in the text.
Result<sql::JobPlan> PlanFile(const JobFlags& flags, const std::string& file, bool is_bounded);

// The job's name: SET 'pipeline.name', or the file's own name without its ending.
std::string JobName(const sql::Options& settings, const std::string& file);

}  // namespace slipstream::processor
