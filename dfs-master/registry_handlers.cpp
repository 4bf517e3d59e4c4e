// What datanodes tell the master: the calls of DfsNodeRegistry.

#include "dfs-master/master_handlers.h"
#include "dfs-master/proto_map.h"

namespace slipstream::dfs::master {
namespace {

// A node with more would need more memory here than a master is meant to have.
constexpr size_t kReportedReplicasMax = 20'000'000;

}  // namespace

Status MasterHandlers::Answer(const v1::RegisterRequest& request, v1::RegisterResponse& response) {
  NodeRegistration registration{.node_id = request.node().node_id(),
                                .address = request.node().address(),
                                .failure_domain = request.failure_domain(),
                                .admin_address = request.admin_address()};
  ASSIGN_OR_RETURN(RegistrationAnswer answer, master_.Register(registration));
  response.set_session(answer.session);
  response.set_log_position(answer.log_position);
  return {};
}

Status MasterHandlers::Answer(const v1::HeartbeatRequest& request,
                              v1::HeartbeatResponse& response) {
  ASSIGN_OR_RETURN(std::vector<ReplicaChange> changes, FromProto(request));
  NodeLoad load{.capacity_bytes = request.capacity_bytes(),
                .used_bytes = request.used_bytes(),
                .free_bytes = request.free_bytes(),
                .active_writes = request.active_writes()};
  ASSIGN_OR_RETURN(HeartbeatAnswer answer,
                   master_.Heartbeat(request.node_id(), request.session(), load, changes));
  ToProto(answer, response);
  return {};
}

Status MasterHandlers::BlockReport::Add(const v1::ReportBlocksRequest& chunk) {
  if (replicas_.size() + static_cast<size_t>(chunk.replicas_size()) > kReportedReplicasMax) {
    return ResourceExhausted("report: too many replicas");
  }
  // Every chunk names the node, the last one counts.
  has_chunk_ = true;
  node_id_ = chunk.node_id();
  session_ = chunk.session();
  sequence_ = chunk.sequence();
  for (const v1::Replica& replica : chunk.replicas()) {
    ASSIGN_OR_RETURN(Block block, FromProto(replica.block()));
    replicas_.push_back(block);
  }
  return {};
}

Status MasterHandlers::BlockReport::Finish(v1::ReportBlocksResponse& response) {
  // A report of nothing is one chunk without replicas. Without any the stream broke before it
  // began.
  if (!has_chunk_) return InvalidArgument("report: no chunk");
  ASSIGN_OR_RETURN(uint64_t position,
                   master_.ReportBlocks(node_id_, session_, sequence_, replicas_));
  response.set_log_position(position);
  return {};
}

}  // namespace slipstream::dfs::master
