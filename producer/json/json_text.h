#pragma once

#include <string>
#include <string_view>

namespace slipstream::producer {

// Appends `text` in quotes, escaped as JSON wants it. Bytes that are not UTF-8 become U+FFFD, so
// that every message is JSON whatever its file held.
void AppendJsonString(std::string_view text, std::string& out);

// Appends a decimal number (optional sign, digits, perhaps a fraction; any other text is a bug of
// the caller's) in JSON's spelling: no leading plus or zeros, no zeros at a fraction's end.
void AppendJsonNumber(std::string_view number, std::string& out);

}  // namespace slipstream::producer
