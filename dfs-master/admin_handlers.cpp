// What operators ask of the master: the calls of DfsAdmin. What changes something is for
// superusers.

#include "dfs-master/master_handlers.h"
#include "dfs-master/path.h"
#include "dfs-master/proto_map.h"

namespace slipstream::dfs::master {

Status MasterHandlers::Answer(const v1::SetSafeModeRequest& request, v1::SetSafeModeResponse&) {
  RETURN_IF_ERROR(Permissions::CheckSuperuser(*caller_));
  return master_.SetSafeMode(request.enter(), request.request_id());
}

Status MasterHandlers::Answer(const v1::SetNodeServiceRequest& request,
                              v1::SetNodeServiceResponse&) {
  RETURN_IF_ERROR(Permissions::CheckSuperuser(*caller_));
  switch (request.service()) {
    case v1::NODE_SERVICE_IN_SERVICE:
    case v1::NODE_SERVICE_DECOMMISSIONING:
    case v1::NODE_SERVICE_DECOMMISSIONED:
    case v1::NODE_SERVICE_MAINTENANCE:
      return master_.SetNodeService(request.node(),
                                    static_cast<NodeService>(request.service()),
                                    request.until_ms(),
                                    request.request_id());
    default:
      return InvalidArgument("no such service=" + std::to_string(request.service()));
  }
}

Status MasterHandlers::Answer(const v1::BalanceRequest& request, v1::BalanceResponse& response) {
  if (request.action() != v1::BalanceRequest::ACTION_STATUS) {
    RETURN_IF_ERROR(Permissions::CheckSuperuser(*caller_));
  }
  if (request.action() == v1::BalanceRequest::ACTION_START) {
    RETURN_IF_ERROR(master_.StartBalance(request.threshold_percent()));
  } else if (request.action() == v1::BalanceRequest::ACTION_STOP) {
    RETURN_IF_ERROR(master_.StopBalance());
  } else if (request.action() != v1::BalanceRequest::ACTION_STATUS) {
    return InvalidArgument("no such action=" + std::to_string(request.action()));
  }
  ASSIGN_OR_RETURN(BalanceStatus status, master_.GetBalance());
  ToProto(status, *response.mutable_status());
  return {};
}

Status MasterHandlers::Answer(const v1::CheckFilesRequest& request,
                              v1::CheckFilesResponse& response) {
  ASSIGN_OR_RETURN(CheckPage page,
                   master_.CheckFiles({.path = request.path(),
                                       .cursor = request.cursor(),
                                       .wants_all = request.all(),
                                       .wants_blocks = request.with_blocks(),
                                       .limit = request.limit(),
                                       .block = request.block_id()},
                                      *caller_));
  ToProto(page, response);
  return {};
}

Status MasterHandlers::Answer(const v1::BackupRequest& request, v1::BackupResponse& response) {
  RETURN_IF_ERROR(Permissions::CheckSuperuser(*caller_));
  if (request.directory().size() > kPathBytesMax) return InvalidArgument("backup: path too long");
  ASSIGN_OR_RETURN(const BackupInfo info, master_.MakeBackup(request.directory()));
  response.set_log_position(info.log_position);
  response.set_bytes(info.bytes);
  return {};
}

Status MasterHandlers::Answer(const v1::RestoreRequest& request, v1::RestoreResponse& response) {
  if (request.word() != v1::RestoreRequest::WORD_STATUS) {
    RETURN_IF_ERROR(Permissions::CheckSuperuser(*caller_));
  }
  if (request.word() == v1::RestoreRequest::WORD_WITHOUT_MISSING_NODES) {
    RETURN_IF_ERROR(master_.GoOnWithoutMissingNodes());
  } else if (request.word() == v1::RestoreRequest::WORD_FORGET_UNKNOWN) {
    RETURN_IF_ERROR(master_.ForgetUnknownReplicas());
  } else if (request.word() != v1::RestoreRequest::WORD_STATUS) {
    return InvalidArgument("no such word=" + std::to_string(request.word()));
  }
  ASSIGN_OR_RETURN(const RestoreStatus status, master_.GetRestoreStatus());
  ToProto(status, response);
  return {};
}

}  // namespace slipstream::dfs::master
