#include <cstdio>
#include <string>

#include "processor/app/batch_job.h"
#include "processor/app/commands.h"
#include "processor/app/exit_code.h"
#include "processor/app/sql_text.h"
#include "processor/app/streaming_job.h"
#include "processor/engine/job_compiler.h"
#include "processor/planner/plan.h"

namespace slipstream::processor {
namespace {

Status RunFile(const RunFlags& flags, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(sql::JobPlan plan, PlanFile(flags.job, flags.file, flags.is_bounded));
  for (const std::string& explanation : plan.explanations)
    std::printf("%s\n", explanation.c_str());
  const std::string name = JobName(plan.settings, flags.file);
  const bool is_streaming = !plan.inserts.empty() && sql::RunsAsTasks(plan, flags.is_bounded);
  if (!flags.savepoint.empty() && !is_streaming) {
    return InvalidArgument("--from-savepoint is for jobs that read Kafka or watched folders");
  }
  if (!plan.inserts.empty()) {
    if (is_streaming) {
      ASSIGN_OR_RETURN(const std::string text, ReadSqlFile(flags.file));
      RETURN_IF_ERROR(RunStreamingJob(plan, name, text, flags, stop));
    } else {
      RETURN_IF_ERROR(RunBatchJob(plan, name, flags.is_bounded, flags.job, stop));
    }
  }
  for (const sql::JobPlan::Query& query : plan.queries) {
    RETURN_IF_ERROR(PrintQuery(*query.query, "table", flags.job, stop));
  }
  return {};
}

}  // namespace

int Run(const RunFlags& flags, const std::stop_token& stop) {
  return ExitCodeOf(RunFile(flags, stop));
}

}  // namespace slipstream::processor
