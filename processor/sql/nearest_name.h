#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::sql {

// The candidate that `name` is most likely a misspelling of (case apart), or "" if none is near:
// more than a third of the characters would have to change.
std::string NearestName(std::string_view name, std::span<const std::string> candidates);

// `did you mean "x"?`, or "" if no candidate is near.
std::string DidYouMean(std::string_view name, std::span<const std::string> candidates);

// ASCII only, as SQL's keywords are.
std::string ToUpper(std::string_view text);

}  // namespace slipstream::sql
