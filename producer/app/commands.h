#pragma once

#include <stop_token>

#include "producer/app/options.h"

// The two commands. Each blocks until it is done or `stop` is triggered, writes to stderr what
// there is to say, and returns the process's exit code.

namespace slipstream::producer {

int RunFlights(const FlightsOptions& options, const std::stop_token& stop);
int RunSensors(const SensorsOptions& options, const std::stop_token& stop);

}  // namespace slipstream::producer
