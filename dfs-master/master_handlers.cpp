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
    {"/slipstream.dfs.v1.DfsMaster/List", AnswerBytes<v1::ListRequest, v1::ListResponse>},
    {"/slipstream.dfs.v1.DfsMaster/MakeDirectory",
     AnswerBytes<v1::MakeDirectoryRequest, v1::MakeDirectoryResponse>},
    {"/slipstream.dfs.v1.DfsMaster/Delete", AnswerBytes<v1::DeleteRequest, v1::DeleteResponse>},
    {"/slipstream.dfs.v1.DfsMaster/Rename", AnswerBytes<v1::RenameRequest, v1::RenameResponse>},
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
    {"/slipstream.dfs.v1.DfsMaster/GetClusterState",
     AnswerBytes<v1::GetClusterStateRequest, v1::GetClusterStateResponse>},
    {"/slipstream.dfs.v1.DfsNodeRegistry/Register",
     AnswerBytes<v1::RegisterRequest, v1::RegisterResponse>},
    {"/slipstream.dfs.v1.DfsNodeRegistry/Heartbeat",
     AnswerBytes<v1::HeartbeatRequest, v1::HeartbeatResponse>},
});

}  // namespace

Result<std::string> MasterHandlers::Dispatch(std::string_view method, std::string_view request) {
  for (const Method& known : kMethods) {
    if (known.name == method) return known.answer(*this, request);
  }
  return Unimplemented("no such method=" + std::string(method));
}

Status MasterHandlers::Answer(const v1::StatRequest& request, v1::StatResponse& response) {
  ASSIGN_OR_RETURN(FileStatus status, master_.GetStatus(request.path()));
  ToProto(status, *response.mutable_status());
  return {};
}

Status MasterHandlers::Answer(const v1::ListRequest& request, v1::ListResponse& response) {
  ASSIGN_OR_RETURN(Listing listing,
                   master_.List(request.path(), request.start_after(), request.limit()));
  for (const FileStatus& entry : listing.entries)
    ToProto(entry, *response.add_entries());
  response.set_has_more(listing.has_more);
  return {};
}

Status MasterHandlers::Answer(const v1::MakeDirectoryRequest& request,
                              v1::MakeDirectoryResponse& response) {
  Attributes attributes{.owner = request.owner(), .group = request.group(), .mode = request.mode()};
  ASSIGN_OR_RETURN(FileStatus status,
                   master_.MakeDirectory(request.path(), attributes, request.create_parents()));
  ToProto(status, *response.mutable_status());
  return {};
}

Status MasterHandlers::Answer(const v1::DeleteRequest& request, v1::DeleteResponse&) {
  return master_.Delete(request.path(), request.recursive(), request.request_id());
}

Status MasterHandlers::Answer(const v1::RenameRequest& request, v1::RenameResponse&) {
  return master_.Rename(
      request.source(), request.target(), request.replace(), request.request_id());
}

Status MasterHandlers::Answer(const v1::LocateBlocksRequest& request,
                              v1::LocateBlocksResponse& response) {
  Master::FileName file{.path = request.path(), .inode = request.inode_id()};
  ASSIGN_OR_RETURN(LocatedRange range,
                   master_.LocateBlocks(file, request.offset_bytes(), request.length_bytes()));
  ToProto(range, response);
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
  return {};
}

Status MasterHandlers::Answer(const v1::AcquireAppenderRequest& request,
                              v1::AcquireAppenderResponse& response) {
  ASSIGN_OR_RETURN(AcquireResult result, master_.AcquireAppender(request.owner()));
  ToProto(result, response);
  return {};
}

Status MasterHandlers::Answer(const v1::PrepareRequest& request, v1::PrepareResponse& response) {
  ASSIGN_OR_RETURN(std::vector<EpochAppend> epochs, FromProto(request));
  ASSIGN_OR_RETURN(PrepareResult result, master_.Prepare(epochs, request.commit()));
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

Status MasterHandlers::Answer(const v1::GetClusterStateRequest&,
                              v1::GetClusterStateResponse& response) {
  ASSIGN_OR_RETURN(ClusterState state, master_.GetClusterState());
  ToProto(state, response);
  response.set_version(version_);
  return {};
}

}  // namespace slipstream::dfs::master
