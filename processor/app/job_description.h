#pragma once

#include <string>
#include <string_view>

#include "processor/planner/plan.h"

namespace slipstream::processor {

// What a job is, for people to look at: its text, its tables and its plan, as JSON
// (docs/FORMATS.md, "Status"). A text too long for a record is cut.
std::string DescribeJob(const sql::JobPlan& plan, const std::string& name, std::string_view text);

// The text with the values of options and settings that are secrets (their names say so: password,
// secret, token, credential, jaas, user-info) replaced by '***'.
std::string WithoutSecrets(std::string_view text);

}  // namespace slipstream::processor
