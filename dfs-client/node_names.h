#pragma once

#include "dfs-client/cluster_types.h"

namespace slipstream::dfs {

// As programs read them in JSON: "live", "stale", "dead"; "in_service", "decommissioning",
// "decommissioned", "maintenance".
const char* NameOf(NodeState state);
const char* NameOf(NodeService service);

}  // namespace slipstream::dfs
