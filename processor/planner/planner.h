#pragma once

#include <string>
#include <vector>

#include "common/status/status.h"
#include "processor/planner/catalog.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// Planner: from the text of a job to what has to run. It keeps the tables and views that its texts
// declare, so a catalog file can be loaded before the job or query that reads it.
//
//   Planner planner({.every_input_is_bounded = flags.bounded});
//   RETURN_IF_ERROR(planner.LoadCatalog("tables.sql", catalog_text));
//   ASSIGN_OR_RETURN(JobPlan job, planner.Plan("job.sql", job_text));
//
// Threads   none of its own; one owner at a time. Plans do not refer to the planner.
// Blocking  never; no I/O.
// Errors    kInvalidArgument whose message names the text, line and column, shows the line with a
//           caret, and gives a hint where there is one (Diagnostic::Render). After an error the
//           statements before it have taken effect.
class Planner {
 public:
  struct Options {
    // Every source ends (--bounded, a batch run), whatever its table says: ORDER BY, LIMIT and
    // GROUP BY without a window then give final rows.
    bool every_input_is_bounded = false;
    // SET before any statement (--set k=v).
    sql::Options settings;
  };
  explicit Planner(Options options);

  // Plans all statements of `text`. `name` stands in messages: a file's name, or "query".
  Result<JobPlan> Plan(const std::string& name, const std::string& text);

  // As Plan, of a session's next statements: what they SET and RESET holds for those that follow.
  Result<JobPlan> PlanNext(const std::string& name, const std::string& text);

  // Runs the CREATEs, DROPs and SETs of `text`; its INSERTs and queries are checked, not kept.
  Status LoadCatalog(const std::string& name, const std::string& text);

  // The rows of a query of JobPlan::queries going into `table`, whose columns they are, so that
  // they can be run as a job's are. `settings`: those that the query was planned with.
  InsertPlan PlanInto(TablePtr table, PlanNodePtr query, const sql::Options& settings);

  const Catalog& catalog() const { return catalog_; }

 private:
  const sql::Options initial_settings_;  // what RESET goes back to
  Options options_;
  Catalog catalog_;
};

}  // namespace slipstream::sql
