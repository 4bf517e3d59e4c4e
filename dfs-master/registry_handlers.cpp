// What datanodes tell the master: the calls of DfsNodeRegistry.

#include <utility>

#include "dfs-master/master_handlers.h"
#include "dfs-master/proto_map.h"

namespace slipstream::dfs::master {
namespace {

// A node with more would need more memory here than a master is meant to have.
constexpr size_t kReportedReplicasMax = 20'000'000;
constexpr int kDisksMax = 256;

void AddKeys(BlockTokenIssuer& tokens, google::protobuf::RepeatedPtrField<v1::BlockTokenKey>& out) {
  for (block::TokenKey& key : tokens.keys()) {
    v1::BlockTokenKey& told = *out.Add();
    told.set_id(key.id);
    told.set_secret(std::move(key.secret));
  }
}

}  // namespace

Status MasterHandlers::Answer(const v1::RegisterRequest& request, v1::RegisterResponse& response) {
  NodeRegistration registration{.node_id = request.node().node_id(),
                                .address = request.node().address(),
                                .failure_domain = request.failure_domain(),
                                .admin_address = request.admin_address(),
                                .version = request.version(),
                                .rack = request.rack(),
                                .host = request.host(),
                                .newest_log_position = request.newest_log_position(),
                                .highest_block_id = request.highest_block_id()};
  ASSIGN_OR_RETURN(RegistrationAnswer answer, master_.Register(registration));
  response.set_session(answer.session);
  response.set_log_position(answer.log_position);
  if (tokens_ != nullptr) AddKeys(*tokens_, *response.mutable_token_keys());
  return {};
}

Status MasterHandlers::Answer(const v1::HeartbeatRequest& request,
                              v1::HeartbeatResponse& response) {
  ASSIGN_OR_RETURN(std::vector<ReplicaChange> changes, FromProto(request));
  NodeLoad load{.capacity_bytes = request.capacity_bytes(),
                .used_bytes = request.used_bytes(),
                .free_bytes = request.free_bytes(),
                .active_writes = request.active_writes(),
                .disks = {}};
  if (request.disks_size() > kDisksMax) return InvalidArgument("heartbeat: too many disks");
  for (const v1::DiskReport& disk : request.disks()) {
    load.disks.push_back({.path = disk.path(),
                          .capacity_bytes = disk.capacity_bytes(),
                          .used_bytes = disk.used_bytes(),
                          .free_bytes = disk.free_bytes(),
                          .failure = disk.failure()});
  }
  ASSIGN_OR_RETURN(HeartbeatAnswer answer,
                   master_.Heartbeat(request.node_id(), request.session(), load, changes));
  ToProto(answer, response);
  if (tokens_ != nullptr && request.newest_token_key_id() != tokens_->newest_key_id()) {
    AddKeys(*tokens_, *response.mutable_token_keys());
  }
  return {};
}

Status MasterHandlers::Answer(const v1::FinishMergeRequest& request,
                              v1::FinishMergeResponse& response) {
  MergeReport report{
      .holder_node_ids = {request.holder_node_ids().begin(), request.holder_node_ids().end()},
      .failure = request.failure()};
  ASSIGN_OR_RETURN(report.block, FromProto(request.block()));
  ASSIGN_OR_RETURN(bool is_taken,
                   master_.FinishMerge(request.node_id(), request.session(), report));
  response.set_is_taken(is_taken);
  return {};
}

Status MasterHandlers::BlockReport::Add(const v1::ReportBlocksRequest& chunk) {
  if (!report_.has_value()) {
    report_ = {
        .node_id = chunk.node_id(), .session = chunk.session(), .sequence = chunk.sequence()};
  }
  if (chunk.node_id() != report_->node_id || chunk.session() != report_->session ||
      chunk.sequence() != report_->sequence) {
    return InvalidArgument("report: chunks of different reports in one stream");
  }
  std::vector<Block> replicas;
  replicas.reserve(static_cast<size_t>(chunk.replicas_size()));
  for (const v1::Replica& replica : chunk.replicas()) {
    ASSIGN_OR_RETURN(Block block, FromProto(replica.block()));
    replicas.push_back(block);
  }
  if (report_->reported.size() + replicas.size() > kReportedReplicasMax) {
    return ResourceExhausted("report: too many replicas");
  }
  return master_.AddToReport(*report_, replicas);
}

Status MasterHandlers::BlockReport::Finish(v1::ReportBlocksResponse& response) {
  // A report of nothing is one chunk without replicas. Without any the stream broke before it
  // began.
  if (!report_.has_value()) return InvalidArgument("report: no chunk");
  ASSIGN_OR_RETURN(uint64_t position, master_.EndReport(*report_));
  response.set_log_position(position);
  return {};
}

}  // namespace slipstream::dfs::master
