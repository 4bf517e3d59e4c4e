#pragma once

#include <string>
#include <string_view>
#include <vector>

// Patterns as the HDFS shell has them: `*` any characters of a name, `?` one, `[a-c]` `[^a-c]` one
// of a set, `{a,b}` alternatives (which may hold slashes), `\` takes the next character as it is.

namespace slipstream::dfs::cli {

// Whether any character of `text` has a special meaning.
bool HasGlob(std::string_view text);

// Whether `pattern`, without alternatives, matches all of `name`. Characters are UTF-8's. A set
// that is not closed is an ordinary `[`.
bool GlobMatches(std::string_view pattern, std::string_view name);

// The patterns that the alternatives of `pattern` stand for, in order; `pattern` itself where there
// are none. At most kAlternativesMax; what is not closed is an ordinary `{`.
inline constexpr size_t kAlternativesMax = 1000;
std::vector<std::string> ExpandAlternatives(std::string_view pattern);

}  // namespace slipstream::dfs::cli
