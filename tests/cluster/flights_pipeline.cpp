#include "tests/cluster/flights_pipeline.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/support/job_commands.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

constexpr std::chrono::minutes kToolDeadline{3};

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string FolderOf(const std::string& variant) {
  return variant.empty() ? "/" : "/" + variant + "/";
}

}  // namespace

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);)
    lines.push_back(std::move(line));
  return lines;
}

Result<std::unique_ptr<FlightsPipeline>> FlightsPipeline::Start(std::filesystem::path dir) {
  std::unique_ptr<FlightsPipeline> pipeline(new FlightsPipeline(std::move(dir)));
  ASSIGN_OR_RETURN(pipeline->broker_, KafkaBroker::Start(pipeline->dir_ / "kafka"));
  std::filesystem::create_directory(pipeline->dir_ / "dfs");
  ASSIGN_OR_RETURN(pipeline->dfs_, DfsCluster::Start({.dir = pipeline->dir_ / "dfs"}));
  RETURN_IF_ERROR(pipeline->dfs_->WaitUntilWritable());
  return pipeline;
}

ProcessOptions FlightsPipeline::SendCommand(std::vector<std::string> flags,
                                            const std::string& topic) const {
  flags.insert(flags.begin(), "flights");
  flags.push_back("--topic=" + topic);
  flags.emplace_back("--partitions=3");
  return ProducerCommand(std::move(flags), broker_->bootstrap());
}

Status FlightsPipeline::Send(std::vector<std::string> flags, const std::string& topic) const {
  ASSIGN_OR_RETURN(ToolResult result, RunTool(SendCommand(std::move(flags), topic), kToolDeadline));
  if (result.exit.code == 0) return {};
  return Internal(fmt::format("producer: exit code {}: {}", result.exit.code, result.err));
}

Result<std::unique_ptr<Process>> FlightsPipeline::StartSending(std::vector<std::string> flags,
                                                               const std::string& topic) const {
  ProcessOptions options = SendCommand(std::move(flags), topic);
  options.dir = dir_;
  options.name = "producer-" + topic;
  return Process::Start(std::move(options));
}

std::string FlightsPipeline::JobName(const Run& run) {
  return run.variant.empty() ? run.job : run.variant + "-" + run.job;
}

Result<std::filesystem::path> FlightsPipeline::JobFile(const Run& run) const {
  const std::filesystem::path shipped = SourceDir() / "jobs" / (run.job + ".sql");
  if (run.variant.empty() && run.topic == kTopic) return shipped;
  std::string text = ReadFile(shipped);
  ReplaceAll(text, "'dfs:///", "'dfs://" + FolderOf(run.variant));
  ReplaceAll(text, "'topic' = 'flights'", "'topic' = '" + run.variant + "-flights'");
  ReplaceAll(text, fmt::format("'topic' = '{}'", kTopic), "'topic' = '" + run.topic + "'");
  const std::filesystem::path file = dir_ / (JobName(run) + ".sql");
  RETURN_IF_ERROR(WriteFile(file, text));
  return file;
}

Result<std::unique_ptr<Process>> FlightsPipeline::StartJob(const Run& run) {
  ASSIGN_OR_RETURN(std::filesystem::path file, JobFile(run));
  std::vector<std::string> flags = {"--state-dir=" + (dir_ / run.state_dir).string()};
  flags.insert(flags.end(), run.more_flags.begin(), run.more_flags.end());
  return Process::Start(Command({.job = std::move(file),
                                 .brokers = broker_->bootstrap(),
                                 .master = dfs_->master_address(),
                                 .workers = run.workers,
                                 .is_bounded = run.is_bounded,
                                 .failpoints = run.failpoints,
                                 .more_flags = std::move(flags)},
                                dir_,
                                fmt::format("{}-{}", JobName(run), start_count_++)));
}

Status FlightsPipeline::RunJob(const Run& run) {
  ASSIGN_OR_RETURN(std::unique_ptr<Process> job, StartJob(run));
  ASSIGN_OR_RETURN(ExitStatus exit, job->Wait(kToolDeadline));
  if (exit.code == 0) return {};
  return Internal(fmt::format("{}: exit code {}: {}", JobName(run), exit.code, job->Stderr()));
}

Result<std::string> FlightsPipeline::Query(const Run& run,
                                           const std::string& sql,
                                           const std::string& format) const {
  ASSIGN_OR_RETURN(std::filesystem::path catalog, JobFile(run));
  ASSIGN_OR_RETURN(ToolResult result,
                   RunTool(Command(ProcessorQuery{.sql = sql,
                                                  .brokers = broker_->bootstrap(),
                                                  .master = dfs_->master_address(),
                                                  .catalog = std::move(catalog),
                                                  .format = format}),
                           kToolDeadline));
  if (result.exit.code == 0) return std::move(result.out);
  return Internal(fmt::format("query: exit code {}: {}", result.exit.code, result.err));
}

Result<std::vector<std::string>> FlightsPipeline::StoredLines(const std::string& variant,
                                                              const std::string& path) const {
  ASSIGN_OR_RETURN(std::string text, dfs_->MustDfs({"cat", FolderOf(variant) + path}));
  if (!text.empty() && text.back() != '\n') return DataLoss(path + ": the last line has no end");
  std::vector<std::string> lines = Lines(text);
  std::sort(lines.begin(), lines.end());
  return lines;
}

Result<std::map<std::string, std::vector<std::string>>> FlightsPipeline::StoredFlights(
    const std::string& variant) const {
  const std::string root = FolderOf(variant) + "flights/";
  ASSIGN_OR_RETURN(std::string folders, dfs_->MustDfs({"ls", "-C", root}));
  std::map<std::string, std::vector<std::string>> flights;
  for (const std::string& folder : Lines(folders)) {
    const std::string prefix = root + "carrier=";
    if (folder.rfind(prefix, 0) != 0) return DataLoss("not the folder of a carrier: " + folder);
    const std::string carrier = folder.substr(prefix.size());
    ASSIGN_OR_RETURN(flights[carrier], StoredLines(variant, "flights/carrier=" + carrier + "/*"));
  }
  return flights;
}

Result<std::vector<KafkaRecord>> FlightsPipeline::StructuredFlights(
    const std::string& variant) const {
  return client().ReadAll(variant.empty() ? "flights" : variant + "-flights");
}

Result<int64_t> FlightsPipeline::Counter(const std::string& job_name,
                                         const std::string& counter) const {
  ASSIGN_OR_RETURN(std::vector<KafkaRecord> records, client().ReadAll("slipstream-status"));
  std::map<std::pair<std::string, int64_t>, int64_t> last;  // by worker and process
  for (const KafkaRecord& record : records) {
    if (!record.value) continue;
    const nlohmann::json status = nlohmann::json::parse(*record.value);
    if (status.contains("kind") || status.at("job") != job_name) continue;  // not a worker's
    last[{record.key.value_or(""), status.at("pid").get<int64_t>()}] = status.at(counter);
  }
  if (last.empty()) return NotFound("no status of job " + job_name);
  int64_t sum = 0;
  for (const auto& [worker, value] : last)
    sum += value;
  return sum;
}

}  // namespace slipstream::test_support
