#pragma once

#include <string>

#include "common/status/status.h"
#include "gateway/http/uri.h"

namespace slipstream::gateway {

// Who asks: `doas` or `user.name` of a request's query, in any case, the first of each;
// `otherwise`, where neither is said. Behind a Gatekeeper it is who the token says.
// kInvalidArgument, in WebHDFS's words: not a user's name.
Result<std::string> UserOf(const http::Query& query, const std::string& otherwise);

}  // namespace slipstream::gateway
