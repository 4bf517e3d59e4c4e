#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/status/status.h"
#include "producer/flights/flight.h"
#include "producer/flights/layout.h"

namespace slipstream::producer {

// Makes a flight of a row's fields. Empty, NA and \N are missing. What the layout lacks is filled
// in: `id` with `running_number`, the schedule as actual minus delay, hour, minute and time_hour
// from the schedule, the name from the carrier. `flight` borrows from `row`. kInvalidArgument, for
// people, if the row is not a flight of this layout.
Status ParseFlight(const Layout& layout,
                   std::span<const std::string_view> row,
                   uint64_t running_number,
                   Flight& flight);

}  // namespace slipstream::producer
