#pragma once

#include <string>

namespace slipstream::dfs::master {
class MasterHandlers;
}

namespace slipstream::fuzz {

// Walks all names of a master through its own calls and ends the process where they contradict one
// another: a directory's count of children, a file's length and number of blocks, a quota's sums,
// the cluster's totals. Returns all that is durable of it as text, the same for the same state.
std::string InspectTree(dfs::master::MasterHandlers& handlers);

}  // namespace slipstream::fuzz
