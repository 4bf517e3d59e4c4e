#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "common/status/status.h"
#include "producer/flights/flight_source.h"

namespace slipstream::producer {

// Writes the flights, in the order of the source and at most `limit` of them (0: all), as a file of
// the 21-column layout. The file appears whole or not at all; "-" is standard output. Returns the
// number of rows.
Result<uint64_t> WriteCsv(FlightSource& source,
                          const std::filesystem::path& path,
                          uint64_t limit,
                          const std::stop_token& stop);

}  // namespace slipstream::producer
