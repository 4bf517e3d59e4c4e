#include <stop_token>
#include <thread>

#include "common/daemon/control_loop.h"
#include "common/daemon/flags.h"
#include "common/log/log.h"
#include "processor/app/command_line.h"
#include "processor/app/commands.h"

int main(int argc, char** argv) {
  namespace processor = slipstream::processor;

  processor::CommandLine line;
  if (std::optional<int> exit_code = processor::ParseCommandLine(argc, argv, line)) {
    return *exit_code;
  }
  bool is_run = line.command == processor::CommandLine::Command::kRun;
  slipstream::log::Init({.level = is_run ? line.run.daemon.log_level : line.query.daemon.log_level,
                         .to_stderr = true});

  // The command runs on a thread of its own, so that this one can wait for signals.
  slipstream::daemon::ControlLoop control;
  int exit_code = slipstream::daemon::kExitFailed;
  std::jthread command([&](const std::stop_token& stop) {
    exit_code = is_run ? processor::Run(line.run, stop) : processor::Query(line.query, stop);
    control.Stop();
  });
  control.Run();
  command.request_stop();
  command.join();
  return exit_code;
}
