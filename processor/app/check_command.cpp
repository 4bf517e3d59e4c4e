#include <cstdio>
#include <string>
#include <vector>

#include "common/daemon/flags.h"
#include "processor/app/commands.h"
#include "processor/app/exit_code.h"
#include "processor/app/job_file_systems.h"
#include "processor/app/registry.h"
#include "processor/app/sql_text.h"
#include "processor/batch/table_files.h"
#include "processor/engine/batch_executor.h"
#include "processor/engine/job_compiler.h"
#include "processor/planner/plan.h"

namespace slipstream::processor {
namespace {

// As `run` would compile it; no broker is asked, so a pattern stands for its topics.
Status CompileStreaming(const sql::JobPlan& plan, const CheckFlags& flags) {
  FileSystems file_systems = FileSystemsOf(flags.job, flags.job.connect_timeout, {});
  TableFiles files(file_systems);
  return sql::CompileJob(plan,
                         {.is_bounded = flags.is_bounded,
                          .find_topics =
                              [](const runtime::KafkaSourceSpec& source) {
                                return Result<std::vector<std::string>>({source.topic_pattern});
                              },
                          .files = &files,
                          .open_registry = &OpenRegistry})
      .status();
}

Status CheckFile(const CheckFlags& flags, const std::string& file) {
  ASSIGN_OR_RETURN(const sql::JobPlan plan, PlanFile(flags.job, file, flags.is_bounded));
  const bool is_streaming = sql::RunsAsTasks(plan, flags.is_bounded);
  if (!plan.inserts.empty()) {
    const Status compiled =
        is_streaming ? CompileStreaming(plan, flags)
                     : sql::BatchJob::Compile(plan, flags.is_bounded, &OpenRegistry).status();
    if (!compiled.ok()) return compiled.WithContext(file);
  }
  std::printf("%s: ok, %s: INSERTs %zu, queries %zu\n",
              file.c_str(),
              is_streaming ? "a streaming job" : "a batch",
              plan.inserts.size(),
              plan.queries.size());
  for (const std::string& explanation : plan.explanations)
    std::printf("%s\n", explanation.c_str());
  if (!flags.shows_plan) return {};
  for (const sql::InsertPlan& insert : plan.inserts)
    std::printf("%s\n", sql::Explain(insert).c_str());
  return {};
}

}  // namespace

int Check(const CheckFlags& flags) {
  int exit_code = daemon::kExitDone;
  for (const std::string& file : flags.files) {
    const Status status = CheckFile(flags, file);
    if (!status.ok()) exit_code = ExitCodeOf(status);
  }
  return exit_code;
}

}  // namespace slipstream::processor
