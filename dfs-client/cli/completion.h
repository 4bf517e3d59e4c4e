#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipstream::dfs::cli {

// The script that teaches "bash" or "zsh" to complete verbs, flags and paths of the file system;
// nothing for another shell. Paths are asked of the master as they are needed (`dfs ls -C -d`), for
// as long as a second.
std::optional<std::string> CompletionScript(std::string_view shell);

}  // namespace slipstream::dfs::cli
