#include "tests/cluster/commit_harness.h"

#include <map>
#include <sstream>

#include <fmt/format.h>

namespace slipstream::test_support {
namespace {

constexpr int kKeys = 20;

std::string KeyOf(int id) {
  return fmt::format("k{}", id % kKeys);
}
std::string ValueOf(int id) {
  return fmt::format("id-{}", id);
}

// OK if `values` are exactly those of all records.
Status CheckValues(const std::vector<std::string>& values, int record_count, const char* place) {
  std::map<std::string, int> times;
  for (const std::string& value : values)
    ++times[value];
  std::string wrong;
  int wrong_count = 0;
  for (int id = 0; id < record_count; ++id) {
    auto found = times.find(ValueOf(id));
    const int seen = found == times.end() ? 0 : found->second;
    if (seen == 1) continue;
    if (++wrong_count <= 5) wrong += fmt::format(" {} {} times", ValueOf(id), seen);
  }
  if (wrong_count == 0 && values.size() == static_cast<size_t>(record_count)) return {};
  return DataLoss(fmt::format("{}: {} of {} records, {} not there once:{}",
                              place,
                              values.size(),
                              record_count,
                              wrong_count,
                              wrong));
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

}  // namespace

CommitHarness::CommitHarness(Options options)
    : options_(std::move(options)),
      client_(options_.bootstrap),
      source_(options_.name + "-in"),
      sink_(options_.name + "-out") {}

Status CommitHarness::Fill() {
  RETURN_IF_ERROR(client_.CreateTopic(source_, 3));
  std::vector<KafkaRecord> records;
  for (int id = 0; id < options_.record_count; ++id) {
    records.push_back({.key = KeyOf(id), .value = ValueOf(id)});
  }
  return client_.Produce(source_, records);
}

Result<std::unique_ptr<Process>> CommitHarness::Start(const Run& run) {
  ProcessOptions options{.program = "commit_processor",
                         .args = {"--brokers",
                                  options_.bootstrap,
                                  "--job",
                                  options_.name,
                                  "--source",
                                  source_,
                                  "--sink",
                                  sink_,
                                  "--state-dir",
                                  options_.dir / run.state_dir,
                                  "--workers",
                                  std::to_string(run.workers),
                                  "--batch-delay-ms",
                                  std::to_string(options_.batch_delay_ms),
                                  "--session-timeout-ms",
                                  std::to_string(options_.session_timeout_ms)},
                         .dir = options_.dir,
                         .name = fmt::format("{}-{}", options_.name, start_count_++)};
  if (options_.dfs != nullptr) {
    options.args.insert(
        options.args.end(),
        {"--files", "dfs:///" + options_.name, "--master", options_.dfs->master_address()});
  } else {
    options.args.insert(options.args.end(), {"--files", files_dir()});
  }
  options.args.insert(options.args.end(), run.more_flags.begin(), run.more_flags.end());
  if (!run.failpoints.empty()) options.environment["SLIPSTREAM_FAILPOINTS"] = run.failpoints;
  return Process::Start(std::move(options));
}

Status CommitHarness::Finish(std::chrono::milliseconds deadline) {
  ASSIGN_OR_RETURN(std::unique_ptr<Process> process, Start({}));
  ASSIGN_OR_RETURN(ExitStatus exit, process->Wait(deadline));
  if (exit.code == 0) return {};
  return Internal(fmt::format("exit code {}: {}", exit.code, process->Stderr()));
}

Status CommitHarness::Check() const {
  RETURN_IF_ERROR(CheckTopic());
  RETURN_IF_ERROR(CheckCounts());
  return CheckFiles();
}

Status CommitHarness::CheckTopic() const {
  ASSIGN_OR_RETURN(std::vector<KafkaRecord> records, client_.ReadAll(sink_));
  std::vector<std::string> values;
  for (const KafkaRecord& record : records)
    values.push_back(record.value.value_or("(none)"));
  return CheckValues(values, options_.record_count, "topic");
}

// The state came through: a count that was restored twice, or not at all, would differ.
Status CommitHarness::CheckCounts() const {
  ASSIGN_OR_RETURN(std::vector<KafkaRecord> records, client_.ReadAll(sink_ + "-counts"));
  std::map<std::string, std::string> counts;
  for (const KafkaRecord& record : records) {
    if (!counts.emplace(record.key.value_or(""), record.value.value_or("")).second) {
      return DataLoss("counts: twice for key " + record.key.value_or(""));
    }
  }
  for (int k = 0; k < kKeys; ++k) {
    const int wanted = (options_.record_count - k + kKeys - 1) / kKeys;
    if (counts[KeyOf(k)] != std::to_string(wanted)) {
      return DataLoss(
          fmt::format("counts: key={} count={} wanted={}", KeyOf(k), counts[KeyOf(k)], wanted));
    }
  }
  return {};
}

Status CommitHarness::CheckFiles() const {
  ASSIGN_OR_RETURN(std::vector<std::string> rows, FileRows());
  return CheckValues(rows, options_.record_count, "files");
}

Result<std::vector<std::string>> CommitHarness::FileRows() const {
  if (options_.dfs != nullptr) {
    ASSIGN_OR_RETURN(std::string text,
                     options_.dfs->MustDfs({"cat", fmt::format("/{}/*/*", options_.name)}));
    return Lines(text);
  }
  std::vector<std::string> rows;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(files_dir())) {
    if (!entry.is_regular_file()) continue;
    for (std::string& line : Lines(ReadFile(entry.path())))
      rows.push_back(std::move(line));
  }
  return rows;
}

}  // namespace slipstream::test_support
