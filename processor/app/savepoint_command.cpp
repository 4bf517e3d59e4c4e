#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "common/clock/clock.h"
#include "processor/app/commands.h"
#include "processor/app/exit_code.h"
#include "processor/app/job_file_systems.h"
#include "processor/app/savepoint_file.h"
#include "processor/app/sql_text.h"
#include "processor/app/streaming_job.h"
#include "processor/batch/table_files.h"
#include "processor/engine/job_compiler.h"
#include "processor/planner/plan.h"
#include "processor/savepoint/take_savepoint.h"

namespace slipstream::processor {
namespace {

std::string DefaultPath(const std::string& job) {
  const auto now = std::chrono::floor<std::chrono::seconds>(SystemClock::Get().WallNow());
  return fmt::format("dfs:///savepoints/{}/{:%Y%m%dT%H%M%SZ}",
                     job,
                     fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

Status SaveJob(const SavepointFlags& flags, const std::stop_token& stop) {
  const RunFlags& run = flags.run;
  ASSIGN_OR_RETURN(const sql::JobPlan plan, PlanFile(run.job, run.file, run.is_bounded));
  if (plan.inserts.empty() || !sql::RunsAsTasks(plan, run.is_bounded)) {
    return InvalidArgument(run.file +
                           " reads neither Kafka nor a watched folder: it has no state to save");
  }
  const std::string name = JobName(plan.settings, run.file);
  FileSystems file_systems = FileSystemsOf(run.job, run.job.connect_timeout, stop);
  TableFiles files(file_systems);
  ASSIGN_OR_RETURN(const std::unique_ptr<runtime::JobProgram> program,
                   CompileStreamingJob(plan, run, files));
  ASSIGN_OR_RETURN(runtime::JobOptions options, MakeJobOptions(plan, name, run, ""));
  ASSIGN_OR_RETURN(runtime::JobContext context,
                   runtime::MakeJobContext(*program, std::move(options)));
  const std::string path = flags.to.empty() ? DefaultPath(name) : flags.to;
  ASSIGN_OR_RETURN(const std::unique_ptr<SavepointFile> file,
                   SavepointFile::Create(path, file_systems));
  runtime::SavepointWriter writer([&file](std::string_view bytes) { return file->Write(bytes); });
  RETURN_IF_ERROR(runtime::TakeSavepoint(context, SystemClock::Get(), writer, stop));
  RETURN_IF_ERROR(file->Close().WithContext(path));
  const runtime::SavepointCounts& counts = writer.counts();
  std::printf("%s: tasks %llu, keys %llu, records between stages %llu\n",
              path.c_str(),
              static_cast<unsigned long long>(counts.tasks),
              static_cast<unsigned long long>(counts.keys),
              static_cast<unsigned long long>(counts.records));
  return {};
}

}  // namespace

int Savepoint(const SavepointFlags& flags, const std::stop_token& stop) {
  return ExitCodeOf(SaveJob(flags, stop));
}

}  // namespace slipstream::processor
