#include <algorithm>
#include <string>

#include "gateway/webhdfs/json.h"
#include "gateway/webhdfs/operations.h"

namespace slipstream::gateway::webhdfs {
namespace {

std::string HomeOf(const Call& call) {
  return "/user/" + call.user;
}

}  // namespace

Outcome GetHomeDirectory(const Call& call) {
  return TextDocument("Path", HomeOf(call));
}

Outcome GetTrashRoot(const Call& call) {
  return TextDocument("Path", HomeOf(call) + "/.Trash");
}

Outcome GetServerDefaults(const Call& call) {
  ASSIGN_OR_RETURN(const dfs::Defaults defaults, call.client->GetDefaults());
  return ServerDefaultsDocument(defaults);
}

Outcome GetStatus(const Call& call) {
  ASSIGN_OR_RETURN(const dfs::ClusterState state, call.client->GetClusterState());
  return FsStatusDocument(state);
}

Outcome CheckAccess(const Call& call) {
  const std::string action = call.parameters.Text("fsaction").value_or("");
  const bool is_action = action.size() == 3 && (action[0] == 'r' || action[0] == '-') &&
                         (action[1] == 'w' || action[1] == '-') &&
                         (action[2] == 'x' || action[2] == '-');
  if (!is_action) return InvalidArgument("fsaction wants three of r, w, x and -, as in r-x");
  const uint32_t rights = (action[0] == 'r' ? dfs::kMayRead : 0) |
                          (action[1] == 'w' ? dfs::kMayWrite : 0) |
                          (action[2] == 'x' ? dfs::kMaySearch : 0);
  RETURN_IF_ERROR(call.client->CheckAccess(call.path, rights));
  return EmptyDocument();
}

Outcome GetDelegationToken(const Call& /*call*/) {
  return NoTokenDocument();
}

}  // namespace slipstream::gateway::webhdfs
