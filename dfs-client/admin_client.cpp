#include "dfs-client/admin_client.h"

#include "dfs-client/client_parts.h"
#include "dfs-client/dfs_client.h"
#include "dfs-client/wire.h"

namespace slipstream::dfs {
AdminClient::AdminClient(DfsClient& client)
    : master_(client.parts_->connection), ids_(client.parts_->ids) {}

Status AdminClient::SetSafeMode(bool enter) {
  v1::SetSafeModeRequest request;
  request.set_enter(enter);
  request.set_request_id(ids_.Next());
  v1::SetSafeModeResponse response;
  return master_.Call("/slipstream.dfs.v1.DfsAdmin/SetSafeMode", request, response);
}

Status AdminClient::SetNodeService(const std::string& node, NodeService service, WallTime until) {
  v1::SetNodeServiceRequest request;
  request.set_node(node);
  request.set_service(wire::FromNodeService(service));
  request.set_until_ms(until.time_since_epoch().count());
  request.set_request_id(ids_.Next());
  v1::SetNodeServiceResponse response;
  return master_.Call("/slipstream.dfs.v1.DfsAdmin/SetNodeService", request, response);
}

Status AdminClient::SetQuota(const std::string& path, const QuotaChange& change) {
  v1::SetQuotaRequest request;
  request.set_path(path);
  if (change.names_max.has_value()) request.set_names_max(*change.names_max);
  if (change.space_max_bytes.has_value()) request.set_space_max_bytes(*change.space_max_bytes);
  request.set_request_id(ids_.Next());
  v1::SetQuotaResponse response;
  return master_.Call("/slipstream.dfs.v1.DfsMaster/SetQuota", request, response);
}

Result<BalanceStatus> AdminClient::Balance(BalanceAction action, double threshold_percent) {
  v1::BalanceRequest request;
  request.set_action(wire::FromBalanceAction(action));
  request.set_threshold_percent(threshold_percent);
  v1::BalanceResponse response;
  RETURN_IF_ERROR(master_.Call("/slipstream.dfs.v1.DfsAdmin/Balance", request, response));
  return wire::ToBalanceStatus(response.status());
}

Result<FileCheckPage> AdminClient::CheckFiles(const FileCheck& check) {
  v1::CheckFilesRequest request;
  request.set_path(check.path);
  request.set_cursor(check.cursor);
  request.set_all(check.all);
  request.set_with_blocks(check.with_blocks);
  request.set_limit(check.names_max);
  request.set_block_id(check.block_id);
  v1::CheckFilesResponse response;
  RETURN_IF_ERROR(master_.Call("/slipstream.dfs.v1.DfsAdmin/CheckFiles", request, response));
  return wire::ToFileCheckPage(response);
}

Result<RestoreReport> AdminClient::GetRestore() {
  v1::RestoreRequest request;
  v1::RestoreResponse response;
  RETURN_IF_ERROR(master_.Call("/slipstream.dfs.v1.DfsAdmin/Restore", request, response));
  return wire::ToRestoreReport(response);
}

}  // namespace slipstream::dfs
