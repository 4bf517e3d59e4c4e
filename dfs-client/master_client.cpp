#include "dfs-client/master_client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "proto/dfs_master.grpc.pb.h"

#include "common/rpc/channel.h"
#include "common/rpc/retry.h"
#include "common/rpc/status_map.h"
#include "dfs-client/notices.h"
#include "dfs-client/random_id.h"
#include "dfs-client/wire.h"

namespace slipstream::dfs {

using std::chrono::milliseconds;
using Stub = v1::DfsMaster::Stub;

struct MasterClient::Connection {
  explicit Connection(const std::string& address)
      : channel(rpc::MakeChannel(address)), stub(v1::DfsMaster::NewStub(channel)) {}

  std::shared_ptr<grpc::Channel> channel;  // shared with the stub
  std::unique_ptr<Stub> stub;
};

namespace {

// Short, since meanwhile nothing stops the wait; the retries add up.
constexpr milliseconds kReconnectTimeout{500};

void SetTarget(const MasterClient::FileTarget& file, v1::LocateBlocksRequest* request) {
  if (const auto* inode_id = std::get_if<uint64_t>(&file)) {
    request->set_inode_id(*inode_id);
  } else {
    request->set_path(std::get<std::string>(file));
  }
}

}  // namespace

MasterClient::MasterClient(Options options, Notices& notices)
    : options_(std::move(options)),
      notices_(notices),
      connection_(std::make_unique<Connection>(options_.address)) {}

MasterClient::~MasterClient() = default;

template <class Request, class Response, class Method>
Result<Response> MasterClient::CallOnce(Method method,
                                        const Request& request,
                                        milliseconds timeout) {
  rpc::AwaitReconnect(*connection_->channel, std::min(timeout, kReconnectTimeout));
  grpc::ClientContext context;
  rpc::SetTimeout(context, timeout);
  std::stop_callback cancel(options_.stop, [&] { context.TryCancel(); });
  Response response;
  Status status = rpc::FromGrpc((connection_->stub.get()->*method)(&context, request, &response));
  if (status.ok()) return response;
  if (status.code() == Code::kUnavailable || status.code() == Code::kDeadlineExceeded) {
    return status.WithContext("master " + options_.address);
  }
  return status;
}

template <class Request, class Response, class Method>
Result<Response> MasterClient::Call(Method method, const Request& request, int* attempts) {
  Result<Response> result = Unavailable("");
  const Status status = rpc::Retry(
      {.timeout = options_.timeout,
       .attempt_timeout_max = options_.attempt_timeout,
       .seed = options_.seed,
       .stop = options_.stop,
       .on_retry = [&](const Status& why) { notices_.Say("waiting for the " + why.message()); }},
      [&](milliseconds attempt_timeout) {
        if (attempts != nullptr) ++*attempts;
        result = CallOnce<Request, Response>(method, request, attempt_timeout);
        return result.status();
      });
  if (!status.ok()) return status;
  return result;
}

Result<FileStatus> MasterClient::Stat(const std::string& path) {
  v1::StatRequest request;
  request.set_path(path);
  auto response = Call<v1::StatRequest, v1::StatResponse>(&Stub::Stat, request);
  if (!response.ok()) return response.status();
  return wire::ToFileStatus(response->status());
}

Result<DirectoryPage> MasterClient::List(const std::string& path,
                                         const std::string& start_after,
                                         uint32_t limit) {
  v1::ListRequest request;
  request.set_path(path);
  request.set_start_after(start_after);
  request.set_limit(limit);
  auto response = Call<v1::ListRequest, v1::ListResponse>(&Stub::List, request);
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
  int attempts = 0;
  auto response = Call<v1::MakeDirectoryRequest, v1::MakeDirectoryResponse>(
      &Stub::MakeDirectory, request, &attempts);
  if (response.ok()) return wire::ToFileStatus(response->status());
  if (response.status().code() == Code::kAlreadyExists && attempts > 1) {
    // Most likely the first attempt made it and its answer was lost.
    auto existing = Stat(path);
    if (existing.ok() && existing->kind == FileKind::kDirectory) return existing;
  }
  return response.status();
}

Status MasterClient::Delete(const std::string& path, bool recursive) {
  v1::DeleteRequest request;
  request.set_path(path);
  request.set_recursive(recursive);
  request.set_request_id(NewRandomId());
  return Call<v1::DeleteRequest, v1::DeleteResponse>(&Stub::Delete, request).status();
}

Status MasterClient::Rename(const std::string& source, const std::string& target, bool replace) {
  v1::RenameRequest request;
  request.set_source(source);
  request.set_target(target);
  request.set_replace(replace);
  request.set_request_id(NewRandomId());
  return Call<v1::RenameRequest, v1::RenameResponse>(&Stub::Rename, request).status();
}

Result<FileBlocks> MasterClient::LocateBlocks(const FileTarget& file, uint64_t offset_bytes) {
  v1::LocateBlocksRequest request;
  SetTarget(file, &request);
  request.set_offset_bytes(offset_bytes);
  auto response =
      Call<v1::LocateBlocksRequest, v1::LocateBlocksResponse>(&Stub::LocateBlocks, request);
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
  auto response = CallOnce<v1::LocateBlocksRequest, v1::LocateBlocksResponse>(
      &Stub::LocateBlocks, request, options_.attempt_timeout);
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
  return CallOnce<v1::ReportBadReplicaRequest, v1::ReportBadReplicaResponse>(
             &Stub::ReportBadReplica, request, options_.attempt_timeout)
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
  auto response = CallOnce<v1::AllocateBlocksRequest, v1::AllocateBlocksResponse>(
      &Stub::AllocateBlocks, request, options_.attempt_timeout);
  if (!response.ok()) return response.status();
  Allocation out{.first_block_id = response->first_block_id()};
  for (const v1::NodeAddress& node : response->nodes())
    out.nodes.push_back(wire::ToNodeAddress(node));
  if (out.nodes.empty()) return Internal("the master gave blocks without datanodes");
  return out;
}

Result<AppenderState> MasterClient::AcquireAppender(const std::string& owner) {
  v1::AcquireAppenderRequest request;
  request.set_owner(owner);
  auto response = Call<v1::AcquireAppenderRequest, v1::AcquireAppenderResponse>(
      &Stub::AcquireAppender, request);
  if (!response.ok()) return response.status();
  AppenderState state{.incarnation = response->incarnation(),
                      .committed = wire::ToEpochPair(response->committed())};
  for (const v1::EpochPair& pair : response->prepared())
    state.prepared.push_back(wire::ToEpochPair(pair));
  return state;
}

Result<std::vector<PreparedEpoch>> MasterClient::Prepare(std::span<const AppenderEpoch> epochs,
                                                         bool commit) {
  v1::PrepareRequest request;
  request.set_commit(commit);
  const wire::NewFile new_file{.owner = options_.file_owner, .group = options_.file_group};
  for (const AppenderEpoch& epoch : epochs)
    wire::FromEpoch(epoch, new_file, request.add_appenders());
  auto response = Call<v1::PrepareRequest, v1::PrepareResponse>(&Stub::Prepare, request);
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
  auto response = Call<v1::CommitRequest, v1::CommitResponse>(&Stub::Commit, request);
  if (!response.ok()) return response.status();
  return std::vector<uint64_t>(response->dropped_inode_ids().begin(),
                               response->dropped_inode_ids().end());
}

Result<uint32_t> MasterClient::AbortAppender(const std::string& owner) {
  v1::AbortAppenderRequest request;
  request.set_owner(owner);
  auto response =
      Call<v1::AbortAppenderRequest, v1::AbortAppenderResponse>(&Stub::AbortAppender, request);
  if (!response.ok()) return response.status();
  return response->discarded_epochs();
}

Result<std::vector<AppenderReport>> MasterClient::ListAppenders(const std::string& owner_prefix) {
  v1::ListAppendersRequest request;
  request.set_owner_prefix(owner_prefix);
  auto response =
      Call<v1::ListAppendersRequest, v1::ListAppendersResponse>(&Stub::ListAppenders, request);
  if (!response.ok()) return response.status();
  std::vector<AppenderReport> reports;
  for (const auto& appender : response->appenders())
    reports.push_back(wire::ToAppenderReport(appender));
  return reports;
}

Result<ClusterState> MasterClient::GetClusterState() {
  auto response = Call<v1::GetClusterStateRequest, v1::GetClusterStateResponse>(
      &Stub::GetClusterState, v1::GetClusterStateRequest());
  if (!response.ok()) return response.status();
  return wire::ToClusterState(*response);
}

}  // namespace slipstream::dfs
