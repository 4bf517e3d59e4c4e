#include "processor/app/sql_session.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <stdlib.h>

#include "dfs-client/random_id.h"
#include "processor/app/batch_job.h"
#include "processor/app/sql_text.h"
#include "processor/app/streaming_job.h"
#include "processor/engine/job_compiler.h"
#include "processor/engine/row_lines.h"
#include "processor/planner/plan_properties.h"

namespace slipstream::processor {
namespace {

constexpr char kNameSetting[] = "pipeline.name";

// So that messages name the place in the whole text: as many lines and characters as stand before
// the statement.
std::string AtItsPlace(const sql::StatementSplitter::Statement& statement) {
  return std::string(statement.line - 1, '\n') + std::string(statement.column - 1, ' ') +
         statement.text;
}

// A 'print' table that takes the query's rows.
sql::TablePtr ResultTable(const sql::Schema& schema, bool has_kinds) {
  auto table = std::make_shared<sql::TableDefinition>();
  table->name = "result";
  table->schema = schema;
  table->physical.resize(schema.size());
  std::iota(table->physical.begin(), table->physical.end(), size_t{0});
  table->options = {{"connector", "print"},
                    {"print.layout", has_kinds ? "table-of-changes" : "table"}};
  return table;
}

// A folder that goes with its owner.
class ScratchFolder {
 public:
  static Result<ScratchFolder> Make() {
    std::string path = (std::filesystem::temp_directory_path() / "slipstream-sql-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) return ErrnoStatus(errno, "make " + path);
    return ScratchFolder(std::move(path));
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Of what a job's name may be made of.
std::string InsertName(const sql::InsertPlan& insert) {
  std::string name = "insert-into-" + insert.table->name;
  std::replace_if(
      name.begin(),
      name.end(),
      [](char c) {
        const bool is_alphanumeric =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        return !is_alphanumeric && c != '.' && c != '_' && c != '-';
      },
      '-');
  return name;
}

void Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// What was asked for has happened.
Status UnlessStopped(const Status& status, const std::stop_token& stop) {
  return status.code() == Code::kCancelled && stop.stop_requested() ? Status() : status;
}

}  // namespace

SqlSession::SqlSession(const SqlFlags& flags)
    : flags_(flags),
      planner_({.every_input_is_bounded = false,
                .settings = {flags.run.job.settings.begin(), flags.run.job.settings.end()}}) {}

Status SqlSession::LoadCatalogs() {
  return processor::LoadCatalogs(flags_.run.job, planner_);
}

Status SqlSession::Run(const std::string& name,
                       const sql::StatementSplitter::Statement& statement,
                       const std::stop_token& stop) {
  ASSIGN_OR_RETURN(sql::JobPlan plan, planner_.PlanNext(name, AtItsPlace(statement)));
  for (const std::string& explanation : plan.explanations) {
    if (!explanation.empty()) Print(explanation + (explanation.ends_with('\n') ? "" : "\n"));
  }
  for (sql::JobPlan::Query& query : plan.queries) {
    RETURN_IF_ERROR(UnlessStopped(Show(std::move(query.query), plan.settings, stop), stop));
  }
  if (plan.inserts.empty()) return {};
  const auto setting = plan.settings.find(kNameSetting);
  const std::string job =
      setting == plan.settings.end() ? InsertName(plan.inserts.front()) : setting->second;
  return UnlessStopped(Insert(plan, job, statement.text, flags_.run, stop), stop);
}

Status SqlSession::Show(sql::PlanNodePtr query,
                        const sql::Options& settings,
                        const std::stop_token& stop) {
  sql::JobPlan plan{.settings = settings};
  plan.queries.push_back({std::move(query)});
  sql::PlanNode& root = *plan.queries.front().query;
  if (!sql::RunsAsTasks(plan, false) && sql::IsBounded(root, false)) {
    return PrintQuery(root, "table", flags_.run.job, stop);
  }
  const bool has_kinds = sql::IsUpdateStream(root, false);
  const sql::RowLines lines(root.output, has_kinds);
  plan.inserts.push_back(planner_.PlanInto(
      ResultTable(root.output, has_kinds), std::move(plan.queries.front().query), settings));
  plan.queries.clear();

  ASSIGN_OR_RETURN(const ScratchFolder folder, ScratchFolder::Make());
  RunFlags flags = flags_.run;
  flags.is_temporary = true;
  flags.state_dir = folder.path();
  Print(lines.Header());
  RETURN_IF_ERROR(Insert(plan, "select-" + dfs::NewRandomId(), "", flags, stop));
  Print(lines.Rule());
  return {};
}

Status SqlSession::Insert(const sql::JobPlan& plan,
                          const std::string& job,
                          const std::string& text,
                          const RunFlags& flags,
                          const std::stop_token& stop) {
  return sql::RunsAsTasks(plan, false) ? RunStreamingJob(plan, job, text, flags, stop)
                                       : RunBatchJob(plan, job, false, flags.job, stop);
}

}  // namespace slipstream::processor
