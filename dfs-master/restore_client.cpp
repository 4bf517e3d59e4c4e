#include "dfs-master/restore_client.h"

#include <chrono>
#include <memory>
#include <string_view>

#include "proto/dfs_master.pb.h"

#include "common/access/process_user.h"
#include "common/rpc/grpc_transport.h"

namespace slipstream::dfs::master {
namespace {

constexpr std::chrono::seconds kCallTimeout{30};
// A copy to another file system takes as long as its disk.
constexpr std::chrono::hours kBackupTimeout{6};

Status Call(const MasterAddress& master,
            std::string_view method,
            const google::protobuf::MessageLite& request,
            google::protobuf::MessageLite& response,
            std::chrono::milliseconds timeout) {
  const std::string user = access::ActingUser();
  const std::shared_ptr<rpc::Transport> transport = rpc::MakeGrpcTransport(master.tls_dir);
  return transport->Connect(master.address)
      ->Call("/slipstream.dfs.v1.DfsAdmin/" + std::string(method),
             request,
             response,
             {.timeout = timeout, .stop = {}, .user = user});
}

RestorePhase FromProto(v1::RestoreResponse::Phase phase) {
  switch (phase) {
    case v1::RestoreResponse::PHASE_WAITING:
      return RestorePhase::kWaiting;
    case v1::RestoreResponse::PHASE_KEEPING:
      return RestorePhase::kKeeping;
    case v1::RestoreResponse::PHASE_SETTLED:
      return RestorePhase::kSettled;
    default:
      return RestorePhase::kNone;
  }
}

}  // namespace

Result<BackupInfo> AskForBackup(const MasterAddress& master, const std::string& directory) {
  v1::BackupRequest request;
  request.set_directory(directory);
  v1::BackupResponse response;
  RETURN_IF_ERROR(Call(master, "Backup", request, response, kBackupTimeout));
  return BackupInfo{.log_position = response.log_position(), .bytes = response.bytes()};
}

Result<RestoreStatus> TellRestored(const MasterAddress& master, RestoreWord word) {
  v1::RestoreRequest request;
  switch (word) {
    case RestoreWord::kStatus:
      break;
    case RestoreWord::kWithoutMissingNodes:
      request.set_word(v1::RestoreRequest::WORD_WITHOUT_MISSING_NODES);
      break;
    case RestoreWord::kForgetUnknown:
      request.set_word(v1::RestoreRequest::WORD_FORGET_UNKNOWN);
      break;
  }
  v1::RestoreResponse response;
  RETURN_IF_ERROR(Call(master, "Restore", request, response, kCallTimeout));
  RestoreStatus status{
      .phase = FromProto(response.phase()),
      .backup_position = response.backup_position(),
      .missing_node_ids = {response.missing_node_ids().begin(), response.missing_node_ids().end()},
      .unknown_replicas = response.unknown_replicas(),
      .writers_ahead = response.writers_ahead()};
  return status;
}

}  // namespace slipstream::dfs::master
