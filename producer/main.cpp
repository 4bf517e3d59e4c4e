#include <thread>

#include "common/daemon/control_loop.h"
#include "common/daemon/flags.h"
#include "common/log/log.h"
#include "producer/app/command_line.h"
#include "producer/app/commands.h"

namespace {

namespace producer = slipstream::producer;

int Run(const producer::CommandLine& line, const std::stop_token& stop) {
  return line.command == producer::CommandLine::Command::kFlights
             ? producer::RunFlights(line.flights, stop)
             : producer::RunSensors(line.sensors, stop);
}

}  // namespace

int main(int argc, char** argv) {
  producer::CommandLine line;
  if (std::optional<int> exit_code = producer::ParseCommandLine(argc, argv, line)) {
    return *exit_code;
  }
  slipstream::log::Init({.level = line.log_level, .to_stderr = true});

  // The command runs on a thread of its own, so that this one can wait for signals.
  slipstream::daemon::ControlLoop control;
  int exit_code = slipstream::daemon::kExitFailed;
  std::jthread command([&](const std::stop_token& stop) {
    exit_code = Run(line, stop);
    control.Stop();
  });
  control.Run();
  command.request_stop();
  command.join();
  return exit_code;
}
