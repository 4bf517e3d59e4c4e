#pragma once

#include <string>
#include <string_view>

namespace slipstream::sql {

// RFC 4648 base64 with padding.
std::string EncodeBase64(std::string_view bytes);

}  // namespace slipstream::sql
