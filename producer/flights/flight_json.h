#pragma once

#include <string>
#include <string_view>

#include "producer/flights/flight.h"

namespace slipstream::producer {

enum class NumberStyle {
  kNumbers,  // 517 for 517.0, 0.5 for .50
  kStrings,  // "517.0", as the file spells it: what many a hobby producer sends
};

// Appends the flight as one JSON object: the 21 fields by name, in order, null where missing.
void AppendJson(const Flight& flight, NumberStyle style, std::string& out);

}  // namespace slipstream::producer
