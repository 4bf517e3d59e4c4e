#include "dfs-client/node_names.h"

namespace slipstream::dfs {

const char* NameOf(NodeState state) {
  switch (state) {
    case NodeState::kLive:
      return "live";
    case NodeState::kStale:
      return "stale";
    case NodeState::kDead:
      break;
  }
  return "dead";
}

const char* NameOf(NodeService service) {
  switch (service) {
    case NodeService::kInService:
      return "in_service";
    case NodeService::kDecommissioning:
      return "decommissioning";
    case NodeService::kDecommissioned:
      return "decommissioned";
    case NodeService::kMaintenance:
      break;
  }
  return "maintenance";
}

}  // namespace slipstream::dfs
