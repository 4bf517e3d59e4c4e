#pragma once

#include "common/status/status.h"
#include "producer/flights/flight.h"

namespace slipstream::producer {

// FlightSource: flights in the order in which they lie in their files, or would.
// Threads: one reader at a time.
class FlightSource {
 public:
  virtual ~FlightSource() = default;

  // Reads the next flight, which stays valid until the next call; false at the end.
  virtual Result<bool> Next(Flight& flight) = 0;

  // Begins again from the first. kFailedPrecondition if the input can be read only once.
  virtual Status Rewind() = 0;
};

}  // namespace slipstream::producer
