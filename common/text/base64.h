#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipstream {

// RFC 4648 base64 with padding.
std::string EncodeBase64(std::string_view bytes);
// nullopt: no base64. Padding may be missing, as Java's decoders have it.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace slipstream
