#pragma once

#include <string>
#include <string_view>

#include "dfs-client/cli/verbs.h"

// What the shell says of itself, in the layout of HDFS's `-help` and `-usage`.

namespace slipstream::dfs::cli {

// A verb's name without its dash.
std::string_view BareName(std::string_view word);

// `dfs --help`: our flags, a line for each verb, examples.
std::string Overview();

// `dfs -usage`: how every verb is called. `dfs -help`: that, and what each does.
std::string UsageForAll();
std::string HelpForAll();

// `dfs -help ls`.
std::string HelpFor(const Verb& verb, std::string_view name);

}  // namespace slipstream::dfs::cli
