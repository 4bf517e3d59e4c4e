#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/dfs_master.pb.h"

#include "common/status/status.h"
#include "dfs-master/block_token_issuer.h"
#include "dfs-master/master.h"

namespace slipstream::dfs::master {

// MasterHandlers: the calls of proto/dfs_master.proto, answered by a Master, whatever carries them:
// gRPC (master_service.h) or a simulated network. Only translates; a call is one function of its
// request's type, in master_handlers.cpp (DfsMaster), registry_handlers.cpp (DfsNodeRegistry) or
// admin_handlers.cpp (DfsAdmin).
//
// A call joins by its function here, its row in the table of master_handlers.cpp, and its override
// in master_service.cpp.
// Ownership  borrows the master, the version and the issuer of tokens; made for a call, as cheaply
//            as a pointer is copied.
// Threads    thread-safe.
// Errors     the master's; kInvalidArgument for a request whose numbers do not fit.
class MasterHandlers final {
 public:
  // `version` is the program's, for those who ask; `caller`, shared with whoever knows him, asks.
  // `tokens` makes the block tokens that go with blocks; null: none do.
  MasterHandlers(Master& master,
                 std::string_view version,
                 std::shared_ptr<const Caller> caller = std::make_shared<Caller>(Caller::Process()),
                 BlockTokenIssuer* tokens = nullptr)
      : master_(master), version_(version), caller_(std::move(caller)), tokens_(tokens) {}

  // Answers the call `method`, "/slipstream.dfs.v1.DfsMaster/Stat", of a request in bytes with a
  // response in bytes. Errors: also kUnimplemented (no such method, or one that takes a stream),
  // kInternal (not a request of that method).
  Result<std::string> Dispatch(std::string_view method, std::string_view request);

  // ---- DfsMaster ----

  Status Answer(const v1::StatRequest& request, v1::StatResponse& response);
  Status Answer(const v1::CheckAccessRequest& request, v1::CheckAccessResponse& response);
  Status Answer(const v1::ListRequest& request, v1::ListResponse& response);
  Status Answer(const v1::MakeDirectoryRequest& request, v1::MakeDirectoryResponse& response);
  Status Answer(const v1::DeleteRequest& request, v1::DeleteResponse& response);
  Status Answer(const v1::RenameRequest& request, v1::RenameResponse& response);
  Status Answer(const v1::SetAttributesRequest& request, v1::SetAttributesResponse& response);
  Status Answer(const v1::SetReplicationRequest& request, v1::SetReplicationResponse& response);
  Status Answer(const v1::SetQuotaRequest& request, v1::SetQuotaResponse& response);
  Status Answer(const v1::TruncateRequest& request, v1::TruncateResponse& response);
  Status Answer(const v1::ConcatRequest& request, v1::ConcatResponse& response);
  Status Answer(const v1::StatBatchRequest& request, v1::StatBatchResponse& response);
  Status Answer(const v1::LocateBlocksRequest& request, v1::LocateBlocksResponse& response);
  Status Answer(const v1::ReportBadReplicaRequest& request, v1::ReportBadReplicaResponse& response);
  Status Answer(const v1::AllocateBlocksRequest& request, v1::AllocateBlocksResponse& response);
  Status Answer(const v1::AcquireAppenderRequest& request, v1::AcquireAppenderResponse& response);
  Status Answer(const v1::PrepareRequest& request, v1::PrepareResponse& response);
  Status Answer(const v1::CommitRequest& request, v1::CommitResponse& response);
  Status Answer(const v1::AbortAppenderRequest& request, v1::AbortAppenderResponse& response);
  Status Answer(const v1::ListAppendersRequest& request, v1::ListAppendersResponse& response);
  Status Answer(const v1::RenewLeaseRequest& request, v1::RenewLeaseResponse& response);
  Status Answer(const v1::GetClusterStateRequest& request, v1::GetClusterStateResponse& response);
  Status Answer(const v1::GetDefaultsRequest& request, v1::GetDefaultsResponse& response);

  // ---- DfsAdmin ----

  Status Answer(const v1::SetSafeModeRequest& request, v1::SetSafeModeResponse& response);
  Status Answer(const v1::SetNodeServiceRequest& request, v1::SetNodeServiceResponse& response);
  Status Answer(const v1::BalanceRequest& request, v1::BalanceResponse& response);
  Status Answer(const v1::CheckFilesRequest& request, v1::CheckFilesResponse& response);
  Status Answer(const v1::BackupRequest& request, v1::BackupResponse& response);
  Status Answer(const v1::RestoreRequest& request, v1::RestoreResponse& response);

  // ---- DfsNodeRegistry ----

  Status Answer(const v1::RegisterRequest& request, v1::RegisterResponse& response);
  Status Answer(const v1::HeartbeatRequest& request, v1::HeartbeatResponse& response);
  Status Answer(const v1::FinishMergeRequest& request, v1::FinishMergeResponse& response);

  // ReportBlocks: takes the stream's chunks in as they come. A report that breaks off is dropped
  // with the object.
  // Threads: not thread-safe.
  class BlockReport final {
   public:
    explicit BlockReport(Master& master) : master_(master) {}

    Status Add(const v1::ReportBlocksRequest& chunk);
    Status Finish(v1::ReportBlocksResponse& response);

   private:
    Master& master_;
    std::optional<Master::BlockReport> report_;  // from the first chunk on
  };
  BlockReport BeginBlockReport() { return BlockReport(master_); }

 private:
  Master& master_;
  const std::string_view version_;
  const std::shared_ptr<const Caller> caller_;
  BlockTokenIssuer* const tokens_;
};

}  // namespace slipstream::dfs::master
