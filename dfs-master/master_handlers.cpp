#include "dfs-master/master_handlers.h"

#include <array>
#include <utility>

#include "dfs-master/proto_map.h"

namespace slipstream::dfs::master {
namespace {

// A method by its full name, and how it is answered in bytes.
struct Method {
  std::string_view name;
  Result<std::string> (*answer)(MasterHandlers& handlers, std::string_view request);
};

template <class Request, class Response>
Result<std::string> AnswerBytes(MasterHandlers& handlers, std::string_view bytes) {
  Request request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Internal("not a " + request.GetTypeName());
  }
  Response response;
  RETURN_IF_ERROR(handlers.Answer(request, response));
  return response.SerializeAsString();
}

constexpr auto kMethods = std::to_array<Method>({
    {"/slipstream.dfs.v1.DfsMaster/Stat", AnswerBytes<v1::StatRequest, v1::StatResponse>},
    {"/slipstream.dfs.v1.DfsMaster/CheckAccess",
     AnswerBytes<v1::CheckAccessRequest, v1::CheckAccessResponse>},
    {"/slipstream.dfs.v1.DfsMaster/List", AnswerBytes<v1::ListRequest, v1::ListResponse>},
    {"/slipstream.dfs.v1.DfsMaster/MakeDirectory",
     AnswerBytes<v1::MakeDirectoryRequest, v1::MakeDirectoryResponse>},
    {"/slipstream.dfs.v1.DfsMaster/Delete", AnswerBytes<v1::DeleteRequest, v1::DeleteResponse>},
    {"/slipstream.dfs.v1.DfsMaster/Rename", AnswerBytes<v1::RenameRequest, v1::RenameResponse>},
    {"/slipstream.dfs.v1.DfsMaster/SetAttributes",
     AnswerBytes<v1::SetAttributesRequest, v1::SetAttributesResponse>},
    {"/slipstream.dfs.v1.DfsMaster/SetReplication",
     AnswerBytes<v1::SetReplicationRequest, v1::SetReplicationResponse>},
    {"/slipstream.dfs.v1.DfsMaster/SetQuota",
     AnswerBytes<v1::SetQuotaRequest, v1::SetQuotaResponse>},
    {"/slipstream.dfs.v1.DfsMaster/Truncate",
     AnswerBytes<v1::TruncateRequest, v1::TruncateResponse>},
    {"/slipstream.dfs.v1.DfsMaster/Concat", AnswerBytes<v1::ConcatRequest, v1::ConcatResponse>},
    {"/slipstream.dfs.v1.DfsMaster/StatBatch",
     AnswerBytes<v1::StatBatchRequest, v1::StatBatchResponse>},
    {"/slipstream.dfs.v1.DfsMaster/LocateBlocks",
     AnswerBytes<v1::LocateBlocksRequest, v1::LocateBlocksResponse>},
    {"/slipstream.dfs.v1.DfsMaster/ReportBadReplica",
     AnswerBytes<v1::ReportBadReplicaRequest, v1::ReportBadReplicaResponse>},
    {"/slipstream.dfs.v1.DfsMaster/AllocateBlocks",
     AnswerBytes<v1::AllocateBlocksRequest, v1::AllocateBlocksResponse>},
    {"/slipstream.dfs.v1.DfsMaster/AcquireAppender",
     AnswerBytes<v1::AcquireAppenderRequest, v1::AcquireAppenderResponse>},
    {"/slipstream.dfs.v1.DfsMaster/Prepare", AnswerBytes<v1::PrepareRequest, v1::PrepareResponse>},
    {"/slipstream.dfs.v1.DfsMaster/Commit", AnswerBytes<v1::CommitRequest, v1::CommitResponse>},
    {"/slipstream.dfs.v1.DfsMaster/AbortAppender",
     AnswerBytes<v1::AbortAppenderRequest, v1::AbortAppenderResponse>},
    {"/slipstream.dfs.v1.DfsMaster/ListAppenders",
     AnswerBytes<v1::ListAppendersRequest, v1::ListAppendersResponse>},
    {"/slipstream.dfs.v1.DfsMaster/RenewLease",
     AnswerBytes<v1::RenewLeaseRequest, v1::RenewLeaseResponse>},
    {"/slipstream.dfs.v1.DfsMaster/GetDefaults",
     AnswerBytes<v1::GetDefaultsRequest, v1::GetDefaultsResponse>},
    {"/slipstream.dfs.v1.DfsMaster/GetClusterState",
     AnswerBytes<v1::GetClusterStateRequest, v1::GetClusterStateResponse>},
    {"/slipstream.dfs.v1.DfsAdmin/SetSafeMode",
     AnswerBytes<v1::SetSafeModeRequest, v1::SetSafeModeResponse>},
    {"/slipstream.dfs.v1.DfsAdmin/SetNodeService",
     AnswerBytes<v1::SetNodeServiceRequest, v1::SetNodeServiceResponse>},
    {"/slipstream.dfs.v1.DfsAdmin/Balance", AnswerBytes<v1::BalanceRequest, v1::BalanceResponse>},
    {"/slipstream.dfs.v1.DfsAdmin/CheckFiles",
     AnswerBytes<v1::CheckFilesRequest, v1::CheckFilesResponse>},
    {"/slipstream.dfs.v1.DfsAdmin/Backup", AnswerBytes<v1::BackupRequest, v1::BackupResponse>},
    {"/slipstream.dfs.v1.DfsAdmin/Restore", AnswerBytes<v1::RestoreRequest, v1::RestoreResponse>},
    {"/slipstream.dfs.v1.DfsNodeRegistry/Register",
     AnswerBytes<v1::RegisterRequest, v1::RegisterResponse>},
    {"/slipstream.dfs.v1.DfsNodeRegistry/Heartbeat",
     AnswerBytes<v1::HeartbeatRequest, v1::HeartbeatResponse>},
    {"/slipstream.dfs.v1.DfsNodeRegistry/FinishMerge",
     AnswerBytes<v1::FinishMergeRequest, v1::FinishMergeResponse>},
});

}  // namespace

Result<std::string> MasterHandlers::Dispatch(std::string_view method, std::string_view request) {
  for (const Method& known : kMethods) {
    if (known.name == method) return known.answer(*this, request);
  }
  return Unimplemented("no such method=" + std::string(method));
}

Status MasterHandlers::Answer(const v1::StatRequest& request, v1::StatResponse& response) {
  ASSIGN_OR_RETURN(FileStatus status, master_.GetStatus(request.path(), *caller_));
  ToProto(status, *response.mutable_status());
  return {};
}

Status MasterHandlers::Answer(const v1::CheckAccessRequest& request, v1::CheckAccessResponse&) {
  return master_.CheckAccess(request.path(), request.rights(), *caller_);
}

Status MasterHandlers::Answer(const v1::ListRequest& request, v1::ListResponse& response) {
  ASSIGN_OR_RETURN(Listing listing,
                   master_.List(request.path(), request.start_after(), request.limit(), *caller_));
  for (const FileStatus& entry : listing.entries)
    ToProto(entry, *response.add_entries());
  response.set_has_more(listing.has_more);
  return {};
}

Status MasterHandlers::Answer(const v1::MakeDirectoryRequest& request,
                              v1::MakeDirectoryResponse& response) {
  Attributes attributes{.owner = request.owner(), .group = request.group(), .mode = request.mode()};
  ASSIGN_OR_RETURN(
      FileStatus status,
      master_.MakeDirectory(
          request.path(), attributes, request.create_parents(), request.request_id(), *caller_));
  ToProto(status, *response.mutable_status());
  return {};
}

Status MasterHandlers::Answer(const v1::DeleteRequest& request, v1::DeleteResponse&) {
  return master_.Delete(request.path(), request.recursive(), request.request_id(), *caller_);
}

Status MasterHandlers::Answer(const v1::RenameRequest& request, v1::RenameResponse&) {
  return master_.Rename(
      request.source(), request.target(), request.replace(), request.request_id(), *caller_);
}

Status MasterHandlers::Answer(const v1::SetAttributesRequest& request,
                              v1::SetAttributesResponse& response) {
  AttributeChange change;
  if (request.has_owner()) change.owner = request.owner();
  if (request.has_group()) change.group = request.group();
  if (request.has_mode()) change.mode = request.mode();
  if (request.has_modified_at_ms()) change.modified_at_ms = request.modified_at_ms();
  if (request.has_accessed_at_ms()) change.accessed_at_ms = request.accessed_at_ms();
  ASSIGN_OR_RETURN(FileStatus status,
                   master_.SetAttributes(request.path(), change, request.request_id(), *caller_));
  ToProto(status, *response.mutable_status());
  return {};
}

Status MasterHandlers::Answer(const v1::SetReplicationRequest& request,
                              v1::SetReplicationResponse&) {
  return master_.SetReplication(
      request.path(), request.replication(), request.request_id(), *caller_);
}

Status MasterHandlers::Answer(const v1::SetQuotaRequest& request, v1::SetQuotaResponse&) {
  QuotaTable::Limits limits;
  if (request.has_names_max()) limits.names_max = request.names_max();
  if (request.has_space_max_bytes()) limits.space_max_bytes = request.space_max_bytes();
  return master_.SetQuota(request.path(), limits, request.request_id(), *caller_);
}

Status MasterHandlers::Answer(const v1::TruncateRequest& request, v1::TruncateResponse&) {
  return master_.Truncate(request.path(), request.length_bytes(), request.request_id(), *caller_);
}

Status MasterHandlers::Answer(const v1::ConcatRequest& request, v1::ConcatResponse&) {
  const std::vector<std::string> sources(request.sources().begin(), request.sources().end());
  return master_.Concat(request.target(), sources, request.request_id(), *caller_);
}

Status MasterHandlers::Answer(const v1::StatBatchRequest& request,
                              v1::StatBatchResponse& response) {
  const std::vector<std::string> paths(request.paths().begin(), request.paths().end());
  ASSIGN_OR_RETURN(std::vector<Result<FileStatus>> statuses, master_.GetStatuses(paths, *caller_));
  response.mutable_entries()->Reserve(static_cast<int>(statuses.size()));
  for (const Result<FileStatus>& status : statuses) {
    v1::StatBatchResponse::Entry& entry = *response.add_entries();
    entry.set_error_code(static_cast<uint32_t>(status.status().code()));
    if (status.ok()) ToProto(*status, *entry.mutable_status());
  }
  return {};
}

Status MasterHandlers::Answer(const v1::LocateBlocksRequest& request,
                              v1::LocateBlocksResponse& response) {
  Master::FileName file{.path = request.path(), .inode = request.inode_id()};
  ASSIGN_OR_RETURN(
      LocatedRange range,
      master_.LocateBlocks(file, request.offset_bytes(), request.length_bytes(), *caller_));
  ToProto(range, response);
  if (tokens_ == nullptr) return {};
  for (v1::LocatedBlock& located : *response.mutable_blocks()) {
    located.set_token(
        tokens_->Issue({.right = block::Right::kRead, .first = located.block().block_id()}));
  }
  return {};
}

Status MasterHandlers::Answer(const v1::ReportBadReplicaRequest& request,
                              v1::ReportBadReplicaResponse&) {
  return master_.ReportBadReplica(request.block_id(), request.node_id());
}

Status MasterHandlers::Answer(const v1::AllocateBlocksRequest& request,
                              v1::AllocateBlocksResponse& response) {
  Master::AllocationRequest wanted{
      .writer = request.writer(),
      .count = request.count(),
      .stored_bytes = request.stored_bytes(),
      .excluded_node_ids = {request.exclude_node_ids().begin(), request.exclude_node_ids().end()}};
  ASSIGN_OR_RETURN(BlockAllocation allocation, master_.AllocateBlocks(wanted));
  ToProto(allocation, response);
  if (tokens_ == nullptr) return {};
  response.set_token(tokens_->Issue(
      {.right = block::Right::kWrite, .first = allocation.ids.first, .count = request.count()}));
  return {};
}

Status MasterHandlers::Answer(const v1::AcquireAppenderRequest& request,
                              v1::AcquireAppenderResponse& response) {
  ASSIGN_OR_RETURN(
      AcquireResult result,
      master_.AcquireAppender(
          request.owner(), std::chrono::milliseconds(request.lease_ms()), request.request_id()));
  ToProto(result, response);
  return {};
}

Status MasterHandlers::Answer(const v1::PrepareRequest& request, v1::PrepareResponse& response) {
  ASSIGN_OR_RETURN(std::vector<EpochAppend> epochs, FromProto(request));
  ASSIGN_OR_RETURN(PrepareResult result, master_.Prepare(epochs, request.commit(), *caller_));
  ToProto(result, response);
  return {};
}

Status MasterHandlers::Answer(const v1::CommitRequest& request, v1::CommitResponse& response) {
  ASSIGN_OR_RETURN(std::vector<InodeId> dropped, master_.Commit(FromProto(request)));
  for (InodeId inode : dropped)
    response.add_dropped_inode_ids(inode);
  return {};
}

Status MasterHandlers::Answer(const v1::AbortAppenderRequest& request,
                              v1::AbortAppenderResponse& response) {
  ASSIGN_OR_RETURN(uint32_t discarded, master_.AbortAppender(request.owner()));
  response.set_discarded_epochs(discarded);
  return {};
}

Status MasterHandlers::Answer(const v1::ListAppendersRequest& request,
                              v1::ListAppendersResponse& response) {
  ASSIGN_OR_RETURN(std::vector<AppenderStatus> appenders,
                   master_.ListAppenders(request.owner_prefix()));
  ToProto(appenders, response);
  return {};
}

Status MasterHandlers::Answer(const v1::RenewLeaseRequest& request, v1::RenewLeaseResponse&) {
  return master_.RenewLease(request.owner(), request.incarnation());
}

Status MasterHandlers::Answer(const v1::GetDefaultsRequest&, v1::GetDefaultsResponse& response) {
  const Defaults defaults = master_.GetDefaults();
  response.set_replication(defaults.replication);
  response.set_min_replicas(defaults.min_replicas);
  response.set_trash_interval_ms(static_cast<uint64_t>(defaults.trash_interval.count()));
  response.set_version(version_.data(), version_.size());
  return {};
}

Status MasterHandlers::Answer(const v1::GetClusterStateRequest&,
                              v1::GetClusterStateResponse& response) {
  ASSIGN_OR_RETURN(ClusterState state, master_.GetClusterState());
  ToProto(state, response);
  response.set_version(version_.data(), version_.size());
  return {};
}

}  // namespace slipstream::dfs::master
