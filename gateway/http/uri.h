#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status/status.h"

// The parts of a request's target. Pure.

namespace slipstream::gateway::http {

// "%20" becomes a space; any byte can come out of it. `plus`: what '+' stands for, itself or, in a
// query, a space. kInvalidArgument: a '%' without two hexadecimal digits.
enum class Plus { kIsPlus, kIsSpace };
Result<std::string> PercentDecode(std::string_view text, Plus plus);

// All but letters, digits and "-._~" encoded; in a path also without '/'.
std::string EncodePath(std::string_view path);
std::string EncodeComponent(std::string_view text);

// "a=1&b=x%20y" in order, decoded. A name without '=' has an empty value; empty pieces are left
// out. kInvalidArgument: bad encoding, more than kQueryParametersMax.
inline constexpr size_t kQueryParametersMax = 64;
using Query = std::vector<std::pair<std::string, std::string>>;
Result<Query> ParseQuery(std::string_view text);
// The first of that name, in any case; one that is empty is as good as absent.
std::optional<std::string> ParameterOf(const Query& query, std::string_view name);
std::string EncodeQuery(const Query& query);

// Whether `text` can be a request's Host: a name or address, with a port or without. It comes back
// in redirects.
bool IsHost(std::string_view text);

}  // namespace slipstream::gateway::http
