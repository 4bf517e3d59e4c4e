#include "processor/app/batch_job.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "common/clock/clock.h"
#include "common/log/log.h"
#include "processor/app/job_file_systems.h"
#include "processor/app/registry.h"
#include "processor/batch/batch_output.h"
#include "processor/batch/table_files.h"
#include "processor/engine/batch_executor.h"
#include "processor/engine/result_renderer.h"
#include "processor/planner/plan_properties.h"

namespace slipstream::processor {
namespace {

constexpr char kLogName[] = "processor.batch";
constexpr uint64_t kBadRowsLogged = 20;  // the rest are counted

// Says which lines could not be read, the first few of them by name. A row that fails later ends
// the batch: nobody would get it.
class BadRowLog {
 public:
  Status Add(const sql::BadRow& row) {
    if (row.file.empty()) {
      return InvalidArgument(fmt::format(
          "{}, in the row {}\nhint: TRY_CAST, NULLIF, CASE or a condition can let such rows pass",
          row.error,
          row.text));
    }
    if (++count_ > kBadRowsLogged) return {};
    log_->warn("row_skipped file={} line={} error={} text={}",
               log::Quoted(row.file),
               row.line,
               log::Quoted(row.error),
               log::Quoted(row.text));
    return {};
  }

 private:
  std::shared_ptr<spdlog::logger> log_ = log::Get(kLogName);
  uint64_t count_ = 0;
};

// Of generated rows: other ones in every run, and said, so that a run can be understood.
uint64_t NewSeed() {
  const uint64_t seed = std::random_device()();
  log::Get(kLogName)->debug("seed_drawn seed={}", seed);
  return seed;
}

Status FlushPrinted() {
  return std::fflush(stdout) == 0 ? Status() : ErrnoStatus(errno, "write the result");
}

void LogReport(const sql::BatchReport& report) {
  log::Get(kLogName)->info("batch_read files={} rows_in={} rows_out={} rows_bad={}",
                           report.files,
                           report.rows_in,
                           report.rows_out,
                           report.rows_bad);
}

}  // namespace

Status RunBatchJob(const sql::JobPlan& plan,
                   const std::string& name,
                   bool is_bounded,
                   const JobFlags& flags,
                   const std::stop_token& stop) {
  ASSIGN_OR_RETURN(std::unique_ptr<sql::BatchJob> job,
                   sql::BatchJob::Compile(plan, is_bounded, OpenRegistry));
  std::unique_ptr<BatchTopics> topics;
  if (!job->kafka_sinks().empty()) {
    ASSIGN_OR_RETURN(
        topics,
        BatchTopics::Open(job->kafka_sinks(), KafkaProperties(flags), flags.connect_timeout, stop));
  }
  FileSystems file_systems = FileSystemsOf(flags, flags.connect_timeout, stop);
  TableFiles files(file_systems);
  ASSIGN_OR_RETURN(std::unique_ptr<BatchOutput> output,
                   BatchOutput::Create(name,
                                       job->file_sinks(),
                                       job->print_sinks(),
                                       std::move(topics),
                                       file_systems,
                                       SystemClock::Get()));
  BadRowLog bad_rows;
  ASSIGN_OR_RETURN(
      sql::BatchReport report,
      job->Run({.files = &files,
                .on_bad_row = [&bad_rows](const sql::BadRow& row) { return bad_rows.Add(row); },
                .stop = stop,
                .seed = NewSeed(),
                .on_pause = [&output] { return output->Flush(); }},
               *output));
  RETURN_IF_ERROR(output->Commit().WithContext("commit"));
  LogReport(report);
  return {};
}

Status PrintQuery(const sql::PlanNode& query,
                  const std::string& format,
                  const JobFlags& flags,
                  const std::stop_token& stop) {
  FileSystems file_systems = FileSystemsOf(flags, flags.connect_timeout, stop);
  TableFiles files(file_systems);
  // A table's columns are as wide as their widest value, which an endless one never shows.
  const bool is_endless = !sql::IsBounded(query, false);
  const auto write = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
  };
  ASSIGN_OR_RETURN(std::unique_ptr<sql::ResultRenderer> renderer,
                   sql::ResultRenderer::Create(
                       is_endless && format == "table" ? "csv" : format, query.output, write));
  BadRowLog bad_rows;
  ASSIGN_OR_RETURN(
      sql::BatchReport report,
      sql::RunQuery(
          query,
          {.files = &files,
           .on_bad_row = [&bad_rows](const sql::BadRow& row) { return bad_rows.Add(row); },
           .stop = stop,
           .seed = NewSeed(),
           .on_pause = FlushPrinted},
          [&renderer](const sql::Batch& batch) {
            renderer->Rows(batch);
            return Status();
          }));
  renderer->End();
  RETURN_IF_ERROR(FlushPrinted());
  LogReport(report);
  return {};
}

}  // namespace slipstream::processor
