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

}  // namespace slipstream::processor
