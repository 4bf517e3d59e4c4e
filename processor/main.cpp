#include <stop_token>
#include <thread>

#include "common/daemon/control_loop.h"
#include "common/daemon/flags.h"
#include "common/log/log.h"
#include "processor/app/command_line.h"
#include "processor/app/commands.h"

namespace {

namespace processor = slipstream::processor;

int Execute(const processor::CommandLine& line, const std::stop_token& stop) {
  switch (line.command) {
    case processor::CommandLine::Command::kRun:
      return processor::Run(line.run, stop);
    case processor::CommandLine::Command::kQuery:
      return processor::Query(line.query, stop);
    case processor::CommandLine::Command::kSql:
      break;  // see main
    case processor::CommandLine::Command::kCheck:
      return processor::Check(line.check);
    case processor::CommandLine::Command::kSavepoint:
      return processor::Savepoint(line.savepoint, stop);
  }
  return slipstream::daemon::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  processor::CommandLine line;
  if (std::optional<int> exit_code = processor::ParseCommandLine(argc, argv, line)) {
    return *exit_code;
  }
  slipstream::log::Init({.level = line.log_level(), .to_stderr = true});

  // It has signals of its own: they are for the statement that runs.
  if (line.command == processor::CommandLine::Command::kSql) return processor::Sql(line.sql);

  // The command runs on a thread of its own, so that this one can wait for signals.
  slipstream::daemon::ControlLoop control;
  int exit_code = slipstream::daemon::kExitFailed;
  std::jthread command([&](const std::stop_token& stop) {
    exit_code = Execute(line, stop);
    control.Stop();
  });
  control.Run();
  command.request_stop();
  command.join();
  return exit_code;
}
