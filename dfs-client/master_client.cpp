#include "dfs-client/master_client.h"

#include <utility>

#include "dfs-client/master_connection.h"
#include "dfs-client/random_id.h"
#include "dfs-client/wire.h"

namespace slipstream::dfs {
namespace {

void SetTarget(const MasterClient::FileTarget& file, v1::LocateBlocksRequest* request) {
  if (const auto* inode_id = std::get_if<uint64_t>(&file)) {
    request->set_inode_id(*inode_id);
  } else {
    request->set_path(std::get<std::string>(file));
  }
}

}  // namespace

MasterClient::MasterClient(Options options, MasterConnection& connection, RandomIds& ids)
    : options_(std::move(options)), connection_(connection), ids_(ids) {}

template <class Response, class Request>
Result<Response> MasterClient::Call(std::string_view method, const Request& request) {
  Response response;
  RETURN_IF_ERROR(connection_.Call(method, request, response));
  return response;
}

template <class Response, class Request>
Result<Response> MasterClient::CallOnce(std::string_view method, const Request& request) {
  Response response;
  RETURN_IF_ERROR(connection_.CallOnce(method, request, response));
  return response;
}

Result<FileStatus> MasterClient::Stat(const std::string& path) {
  v1::StatRequest request;
  request.set_path(path);
  auto response = Call<v1::StatResponse>("/slipstream.dfs.v1.DfsMaster/Stat", request);
  if (!response.ok()) return response.status();
  return wire::ToFileStatus(response->status());
}

Status MasterClient::CheckAccess(const std::string& path, uint32_t rights) {
  v1::CheckAccessRequest request;
  request.set_path(path);
  request.set_rights(rights);
  return Call<v1::CheckAccessResponse>("/slipstream.dfs.v1.DfsMaster/CheckAccess", request)
      .status();
}

Result<DirectoryPage> MasterClient::List(const std::string& path,
                                         const std::string& start_after,
                                         uint32_t limit) {
  v1::ListRequest request;
  request.set_path(path);
  request.set_start_after(start_after);
  request.set_limit(limit);
  auto response = Call<v1::ListResponse>("/slipstream.dfs.v1.DfsMaster/List", request);
  if (!response.ok()) return response.status();
  DirectoryPage page{.has_more = response->has_more()};
  page.entries.reserve(static_cast<size_t>(response->entries_size()));
  for (const v1::FileStatus& entry : response->entries())
    page.entries.push_back(wire::ToFileStatus(entry));
  return page;
}

Result<FileStatus> MasterClient::MakeDirectory(const std::string& path, bool create_parents) {
  v1::MakeDirectoryRequest request;
  request.set_path(path);
  request.set_create_parents(create_parents);
  request.set_owner(options_.file_owner);
  request.set_group(options_.file_group);
  request.set_request_id(ids_.Next());
  auto response =
      Call<v1::MakeDirectoryResponse>("/slipstream.dfs.v1.DfsMaster/MakeDirectory", request);
  if (!response.ok()) return response.status();
  return wire::ToFileStatus(response->status());
}

Status MasterClient::Delete(const std::string& path, bool recursive) {
  v1::DeleteRequest request;
  request.set_path(path);
  request.set_recursive(recursive);
  request.set_request_id(ids_.Next());
  return Call<v1::DeleteResponse>("/slipstream.dfs.v1.DfsMaster/Delete", request).status();
}

Status MasterClient::Rename(const std::string& source, const std::string& target, bool replace) {
  v1::RenameRequest request;
  request.set_source(source);
  request.set_target(target);
  request.set_replace(replace);
  request.set_request_id(ids_.Next());
  return Call<v1::RenameResponse>("/slipstream.dfs.v1.DfsMaster/Rename", request).status();
}

Result<FileStatus> MasterClient::SetAttributes(const std::string& path,
                                               const AttributeChange& change) {
  v1::SetAttributesRequest request;
  request.set_path(path);
  if (change.owner.has_value()) request.set_owner(*change.owner);
  if (change.group.has_value()) request.set_group(*change.group);
  if (change.mode.has_value()) request.set_mode(*change.mode);
  if (change.modified_at_ms.has_value()) request.set_modified_at_ms(*change.modified_at_ms);
  if (change.accessed_at_ms.has_value()) request.set_accessed_at_ms(*change.accessed_at_ms);
  request.set_request_id(ids_.Next());
  auto response =
      Call<v1::SetAttributesResponse>("/slipstream.dfs.v1.DfsMaster/SetAttributes", request);
  if (!response.ok()) return response.status();
  return wire::ToFileStatus(response->status());
}

Status MasterClient::SetReplication(const std::string& path, uint32_t replication) {
  v1::SetReplicationRequest request;
  request.set_path(path);
  request.set_replication(replication);
  request.set_request_id(ids_.Next());
  return Call<v1::SetReplicationResponse>("/slipstream.dfs.v1.DfsMaster/SetReplication", request)
      .status();
}

Status MasterClient::Truncate(const std::string& path, uint64_t length_bytes) {
  v1::TruncateRequest request;
  request.set_path(path);
  request.set_length_bytes(length_bytes);
  request.set_request_id(ids_.Next());
  return Call<v1::TruncateResponse>("/slipstream.dfs.v1.DfsMaster/Truncate", request).status();
}

Status MasterClient::Concat(const std::string& target, std::span<const std::string> sources) {
  v1::ConcatRequest request;
  request.set_target(target);
  for (const std::string& source : sources)
    request.add_sources(source);
  request.set_request_id(ids_.Next());
  return Call<v1::ConcatResponse>("/slipstream.dfs.v1.DfsMaster/Concat", request).status();
}

Result<std::vector<Result<FileStatus>>> MasterClient::StatBatch(
    std::span<const std::string> paths) {
  v1::StatBatchRequest request;
  for (const std::string& path : paths)
    request.add_paths(path);
  auto response = Call<v1::StatBatchResponse>("/slipstream.dfs.v1.DfsMaster/StatBatch", request);
  if (!response.ok()) return response.status();
  if (response->entries_size() != request.paths_size()) {
    return Internal("the master's answer to StatBatch has another number of entries");
  }
  std::vector<Result<FileStatus>> found;
  found.reserve(paths.size());
  for (int i = 0; i < response->entries_size(); ++i)
    found.push_back(wire::ToStatResult(response->entries(i), paths[static_cast<size_t>(i)]));
  return found;
}

Result<FileBlocks> MasterClient::LocateBlocks(const FileTarget& file, uint64_t offset_bytes) {
  v1::LocateBlocksRequest request;
  SetTarget(file, &request);
  request.set_offset_bytes(offset_bytes);
  auto response =
      Call<v1::LocateBlocksResponse>("/slipstream.dfs.v1.DfsMaster/LocateBlocks", request);
  if (!response.ok()) return response.status();
  return wire::ToFileBlocks(*response);
}

Result<FileBlocks> MasterClient::LocateBlocksOnce(const FileTarget& file,
                                                  uint64_t offset_bytes,
                                                  uint64_t length_bytes) {
  v1::LocateBlocksRequest request;
  SetTarget(file, &request);
  request.set_offset_bytes(offset_bytes);
  request.set_length_bytes(length_bytes);
  auto response =
      CallOnce<v1::LocateBlocksResponse>("/slipstream.dfs.v1.DfsMaster/LocateBlocks", request);
  if (!response.ok()) return response.status();
  return wire::ToFileBlocks(*response);
}

Status MasterClient::ReportBadReplicaOnce(uint64_t block_id,
                                          const std::string& node_id,
                                          const std::string& reason) {
  v1::ReportBadReplicaRequest request;
  request.set_block_id(block_id);
  request.set_node_id(node_id);
  request.set_reason(reason);
  return CallOnce<v1::ReportBadReplicaResponse>("/slipstream.dfs.v1.DfsMaster/ReportBadReplica",
                                                request)
      .status();
}

Result<MasterClient::Allocation> MasterClient::AllocateBlocksOnce(
    const AllocationRequest& allocation) {
  v1::AllocateBlocksRequest request;
  request.set_writer(allocation.writer);
  request.set_count(allocation.count);
  request.set_stored_bytes(allocation.stored_bytes);
  for (const std::string& node_id : allocation.exclude_node_ids)
    request.add_exclude_node_ids(node_id);
  auto response =
      CallOnce<v1::AllocateBlocksResponse>("/slipstream.dfs.v1.DfsMaster/AllocateBlocks", request);
  if (!response.ok()) return response.status();
  Allocation out{.first_block_id = response->first_block_id(),
                 .grant = {.first_block_id = response->first_block_id(),
                           .count = allocation.count,
                           .token = response->token()}};
  for (const v1::NodeAddress& node : response->nodes())
    out.nodes.push_back(wire::ToNodeAddress(node));
  if (out.nodes.empty()) return Internal("the master gave blocks without datanodes");
  return out;
}

Result<AppenderState> MasterClient::AcquireAppender(const std::string& owner,
                                                    std::chrono::milliseconds lease) {
  v1::AcquireAppenderRequest request;
  request.set_owner(owner);
  request.set_lease_ms(static_cast<uint32_t>(lease.count()));
  request.set_request_id(ids_.Next());
  auto response =
      Call<v1::AcquireAppenderResponse>("/slipstream.dfs.v1.DfsMaster/AcquireAppender", request);
  if (!response.ok()) return response.status();
  AppenderState state{.incarnation = response->incarnation(),
                      .committed = wire::ToEpochPair(response->committed())};
  for (const v1::EpochPair& pair : response->prepared())
    state.prepared.push_back(wire::ToEpochPair(pair));
  return state;
}

Status MasterClient::RenewLease(const std::string& owner, uint64_t incarnation) {
  v1::RenewLeaseRequest request;
  request.set_owner(owner);
  request.set_incarnation(incarnation);
  return Call<v1::RenewLeaseResponse>("/slipstream.dfs.v1.DfsMaster/RenewLease", request).status();
}

Status MasterClient::RenewLeaseOnce(const std::string& owner, uint64_t incarnation) {
  v1::RenewLeaseRequest request;
  request.set_owner(owner);
  request.set_incarnation(incarnation);
  return CallOnce<v1::RenewLeaseResponse>("/slipstream.dfs.v1.DfsMaster/RenewLease", request)
      .status();
}

Result<std::vector<PreparedEpoch>> MasterClient::Prepare(std::span<const AppenderEpoch> epochs,
                                                         bool commit) {
  v1::PrepareRequest request;
  request.set_commit(commit);
  const wire::NewFile new_file{.owner = options_.file_owner, .group = options_.file_group};
  for (const AppenderEpoch& epoch : epochs)
    wire::FromEpoch(epoch, new_file, request.add_appenders());
  auto response = Call<v1::PrepareResponse>("/slipstream.dfs.v1.DfsMaster/Prepare", request);
  if (!response.ok()) return response.status();
  if (response->appenders_size() != request.appenders_size()) {
    return Internal("the master's answer to Prepare has another number of appenders");
  }
  std::vector<PreparedEpoch> prepared;
  prepared.reserve(epochs.size());
  for (const auto& appender : response->appenders()) {
    prepared.push_back(
        {.inode_ids = {appender.inode_ids().begin(), appender.inode_ids().end()},
         .lost_files = {appender.lost_files().begin(), appender.lost_files().end()}});
  }
  return prepared;
}

Result<std::vector<uint64_t>> MasterClient::Commit(std::span<const AppenderCommit> commits) {
  v1::CommitRequest request;
  for (const AppenderCommit& commit : commits) {
    v1::CommitRequest::Appender* appender = request.add_appenders();
    appender->set_owner(commit.owner);
    appender->mutable_pair()->set_epoch(commit.pair.epoch);
    appender->mutable_pair()->set_incarnation(commit.pair.incarnation);
  }
  auto response = Call<v1::CommitResponse>("/slipstream.dfs.v1.DfsMaster/Commit", request);
  if (!response.ok()) return response.status();
  return std::vector<uint64_t>(response->dropped_inode_ids().begin(),
                               response->dropped_inode_ids().end());
}

Result<uint32_t> MasterClient::AbortAppender(const std::string& owner) {
  v1::AbortAppenderRequest request;
  request.set_owner(owner);
  auto response =
      Call<v1::AbortAppenderResponse>("/slipstream.dfs.v1.DfsMaster/AbortAppender", request);
  if (!response.ok()) return response.status();
  return response->discarded_epochs();
}

Status MasterClient::AbortAppenderOnce(const std::string& owner) {
  v1::AbortAppenderRequest request;
  request.set_owner(owner);
  return CallOnce<v1::AbortAppenderResponse>("/slipstream.dfs.v1.DfsMaster/AbortAppender", request)
      .status();
}

Result<std::vector<AppenderReport>> MasterClient::ListAppenders(const std::string& owner_prefix) {
  v1::ListAppendersRequest request;
  request.set_owner_prefix(owner_prefix);
  auto response =
      Call<v1::ListAppendersResponse>("/slipstream.dfs.v1.DfsMaster/ListAppenders", request);
  if (!response.ok()) return response.status();
  std::vector<AppenderReport> reports;
  for (const auto& appender : response->appenders())
    reports.push_back(wire::ToAppenderReport(appender));
  return reports;
}

Result<ClusterState> MasterClient::GetClusterState() {
  auto response = Call<v1::GetClusterStateResponse>("/slipstream.dfs.v1.DfsMaster/GetClusterState",
                                                    v1::GetClusterStateRequest());
  if (!response.ok()) return response.status();
  return wire::ToClusterState(*response);
}

Result<Defaults> MasterClient::GetDefaults() {
  auto response = Call<v1::GetDefaultsResponse>("/slipstream.dfs.v1.DfsMaster/GetDefaults",
                                                v1::GetDefaultsRequest());
  if (!response.ok()) return response.status();
  return Defaults{.replication = response->replication(),
                  .min_replicas = response->min_replicas(),
                  .trash_interval = std::chrono::milliseconds(response->trash_interval_ms()),
                  .version = response->version()};
}

}  // namespace slipstream::dfs
