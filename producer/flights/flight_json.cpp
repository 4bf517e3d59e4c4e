#include "producer/flights/flight_json.h"

#include <array>
#include <cstddef>

#include "producer/json/json_text.h"

namespace slipstream::producer {
namespace {

// `,"year":` for each field; the first without its comma.
std::array<std::string, kFieldCount> MakePrefixes() {
  std::array<std::string, kFieldCount> prefixes;
  for (size_t i = 0; i < kFieldCount; ++i) {
    prefixes[i] = i == 0 ? "{" : ",";
    prefixes[i].append("\"").append(FieldName(static_cast<Field>(i))).append("\":");
  }
  return prefixes;
}

}  // namespace

void AppendJson(const Flight& flight, NumberStyle style, std::string& out) {
  static const std::array<std::string, kFieldCount> prefixes = MakePrefixes();
  for (size_t i = 0; i < kFieldCount; ++i) {
    auto field = static_cast<Field>(i);
    out.append(prefixes[i]);
    if (!flight.Has(field)) {
      out.append("null");
    } else if (style == NumberStyle::kNumbers && !IsText(field)) {
      AppendJsonNumber(flight.Get(field), out);
    } else {
      AppendJsonString(flight.Get(field), out);
    }
  }
  out.push_back('}');
}

}  // namespace slipstream::producer
