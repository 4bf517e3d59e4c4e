#include "tests/support/kafka_broker.h"

#include <utility>

#include "common/check/check.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {
namespace {

// The first start on a machine fetches the jars as well.
constexpr std::chrono::seconds kStartDeadline{300};

// `flags`: of a new broker; one that was started before keeps its own.
Result<std::unique_ptr<Process>> StartProcess(const std::filesystem::path& dir,
                                              const std::vector<std::string>& flags = {}) {
  std::vector<std::string> args = {"run", "--dir", dir.string()};
  args.insert(args.end(), flags.begin(), flags.end());
  ASSIGN_OR_RETURN(std::unique_ptr<Process> process,
                   Process::Start({.program = SourceDir() / "deploy/kafka/kafka.sh",
                                   .args = std::move(args),
                                   .dir = dir,
                                   .name = "kafka"}));
  RETURN_IF_ERROR(process->WaitForOutput("Kafka Server started", kStartDeadline));
  return process;
}

// The shared broker with its folder, in the order in which they must go.
struct SharedBroker {
  TempDir dir{"kafka"};
  std::unique_ptr<KafkaBroker> broker;

  SharedBroker() {
    Result<std::unique_ptr<KafkaBroker>> started = KafkaBroker::Start(dir.path());
    SLIPSTREAM_CHECK(started.ok(), "{}", started.status().ToString());
    broker = std::move(*started);
  }
};

}  // namespace

KafkaBroker::KafkaBroker(std::filesystem::path dir,
                         std::unique_ptr<Process> process,
                         std::string bootstrap)
    : dir_(std::move(dir)), process_(std::move(process)), bootstrap_(std::move(bootstrap)) {}

Result<std::unique_ptr<KafkaBroker>> KafkaBroker::Start(std::filesystem::path dir) {
  return StartWith(std::move(dir), "");
}

Result<std::unique_ptr<KafkaBroker>> KafkaBroker::StartWith(std::filesystem::path dir,
                                                            const std::string& properties) {
  std::vector<std::string> flags;
  if (!properties.empty()) {
    const std::filesystem::path more = dir / "more.properties";
    RETURN_IF_ERROR(WriteFile(more, properties));
    flags = {"--properties", more.string()};
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Process> process, StartProcess(dir, flags));
  std::string bootstrap = ReadFile(dir / "bootstrap");
  while (bootstrap.ends_with('\n'))
    bootstrap.pop_back();
  return std::unique_ptr<KafkaBroker>(
      new KafkaBroker(std::move(dir), std::move(process), std::move(bootstrap)));
}

KafkaBroker& KafkaBroker::Shared() {
  static SharedBroker shared;
  return *shared.broker;
}

Status KafkaBroker::Stop() {
  return process_->Terminate().status();
}

Status KafkaBroker::Restart() {
  ASSIGN_OR_RETURN(process_, StartProcess(dir_));
  return {};
}

}  // namespace slipstream::test_support
