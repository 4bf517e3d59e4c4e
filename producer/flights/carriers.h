#pragma once

#include <string_view>

namespace slipstream::producer {

// The name of the airline with this two-character code, as of the code's use in the years the
// public files cover; empty if the code is not known. For layouts that have no names.
std::string_view CarrierName(std::string_view code);

}  // namespace slipstream::producer
