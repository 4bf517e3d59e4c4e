#pragma once

#include <optional>

namespace slipstream::dfs::master {

// The commands of dfs-master beside running a master, by its first argument:
//
//   backup    asks a running master for a copy of its store
//   restore   makes a data directory of such a copy
//   restored  asks a master that was restored how far it is, and tells it to go on
//
// Carries one out and returns the process's exit code; nullopt where the first argument is none of
// them. Blocks for as long as the command takes.
std::optional<int> RunCommand(int argc, const char* const* argv);

}  // namespace slipstream::dfs::master
