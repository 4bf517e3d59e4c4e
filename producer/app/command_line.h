#pragma once

#include <optional>
#include <string>

#include "producer/app/options.h"

namespace slipstream::producer {

struct CommandLine {
  enum class Command { kFlights, kSensors };

  Command command = Command::kFlights;
  FlightsOptions flights;
  SensorsOptions sensors;
  std::string log_level = "info";
};

// Reads flags, config file and environment. Returns the exit code when the process is to end now
// (after --help, or a usage error, already printed).
std::optional<int> ParseCommandLine(int argc, const char* const* argv, CommandLine& line);

}  // namespace slipstream::producer
