#pragma once

#include <string>

#include "producer/flights/flight.h"

namespace slipstream::producer {

// The header of the 21-column layout, with its line end.
std::string FlightCsvHeader();

// Appends the flight as a row of the 21-column layout: nothing where a field is missing, quotes
// where a text needs them.
void AppendCsv(const Flight& flight, std::string& out);

}  // namespace slipstream::producer
