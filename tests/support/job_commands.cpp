#include "tests/support/job_commands.h"

#include <utility>

namespace slipstream::test_support {
namespace {

void AddFlag(std::vector<std::string>& args, const char* flag, const std::string& value) {
  if (!value.empty()) args.push_back(std::string(flag) + "=" + value);
}

}  // namespace

ProcessOptions Command(const ProcessorRun& run, std::filesystem::path dir, std::string name) {
  ProcessOptions options{.program = "processor", .args = {"run", run.job.string()}};
  AddFlag(options.args, "--brokers", run.brokers);
  AddFlag(options.args, "--master", run.master);
  AddFlag(options.args, "--workers", std::to_string(run.workers));
  for (const auto& [key, value] : run.set)
    AddFlag(options.args, "--set", key + "=" + value);
  if (run.is_bounded) options.args.emplace_back("--bounded");
  if (run.is_fresh) options.args.emplace_back("--fresh");
  options.args.insert(options.args.end(), run.more_flags.begin(), run.more_flags.end());
  if (!run.failpoints.empty()) options.environment["SLIPSTREAM_FAILPOINTS"] = run.failpoints;
  options.dir = std::move(dir);
  options.name = std::move(name);
  options.is_daemon = true;
  return options;
}

ProcessOptions Command(const ProcessorSavepoint& savepoint) {
  ProcessOptions options{.program = "processor", .args = {"savepoint", savepoint.job.string()}};
  AddFlag(options.args, "--brokers", savepoint.brokers);
  AddFlag(options.args, "--master", savepoint.master);
  AddFlag(options.args, "--to", savepoint.to);
  return options;
}

ProcessOptions Command(const ProcessorQuery& query) {
  ProcessOptions options{.program = "processor", .args = {"query", query.sql}};
  AddFlag(options.args, "--brokers", query.brokers);
  AddFlag(options.args, "--master", query.master);
  AddFlag(options.args, "--catalog", query.catalog.string());
  AddFlag(options.args, "--format", query.format);
  options.args.insert(options.args.end(), query.more_flags.begin(), query.more_flags.end());
  return options;
}

ProcessOptions ProducerCommand(std::vector<std::string> args, const std::string& brokers) {
  ProcessOptions options{.program = "producer", .args = std::move(args)};
  AddFlag(options.args, "--brokers", brokers);
  return options;
}

}  // namespace slipstream::test_support
