#include <cstdio>
#include <string>

#include "processor/app/batch_job.h"
#include "processor/app/commands.h"
#include "processor/app/exit_code.h"
#include "processor/app/sql_text.h"
#include "processor/planner/planner.h"

namespace slipstream::processor {
namespace {

Status RunSelect(const QueryFlags& flags, const std::stop_token& stop) {
  // What is asked for is an answer: every source ends.
  sql::Planner planner({.every_input_is_bounded = true,
                        .settings = {flags.job.settings.begin(), flags.job.settings.end()}});
  RETURN_IF_ERROR(LoadCatalogs(flags.job, planner));
  ASSIGN_OR_RETURN(sql::JobPlan plan, planner.Plan("query", flags.sql));
  if (!plan.inserts.empty()) {
    return InvalidArgument("query takes a SELECT; a file with INSERT is for `processor run`");
  }
  for (const std::string& explanation : plan.explanations)
    std::printf("%s\n", explanation.c_str());
  for (const sql::JobPlan::Query& query : plan.queries) {
    RETURN_IF_ERROR(PrintQuery(*query.query, flags.format, flags.job, stop));
  }
  return {};
}

}  // namespace

int Query(const QueryFlags& flags, const std::stop_token& stop) {
  return ExitCodeOf(RunSelect(flags, stop));
}

}  // namespace slipstream::processor
