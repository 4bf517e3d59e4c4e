#include "producer/flights/flight_csv.h"

#include <cstddef>
#include <string_view>

namespace slipstream::producer {
namespace {

void AppendQuoted(std::string_view text, std::string& out) {
  out.push_back('"');
  for (char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

std::string FlightCsvHeader() {
  std::string header;
  for (size_t i = 0; i < kFieldCount; ++i) {
    if (i > 0) header.push_back(',');
    header.append(FieldName(static_cast<Field>(i)));
  }
  header.push_back('\n');
  return header;
}

void AppendCsv(const Flight& flight, std::string& out) {
  for (size_t i = 0; i < kFieldCount; ++i) {
    if (i > 0) out.push_back(',');
    std::string_view text = flight.Get(static_cast<Field>(i));
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
      out.append(text);
    } else {
      AppendQuoted(text, out);
    }
  }
  out.push_back('\n');
}

}  // namespace slipstream::producer
