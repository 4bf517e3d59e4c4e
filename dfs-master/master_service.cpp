#include "dfs-master/master_service.h"

#include <chrono>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "proto/dfs_master.grpc.pb.h"

#include "common/rpc/status_map.h"
#include "dfs-master/proto_map.h"

namespace slipstream::dfs::master {
namespace {

// A node with more would need more memory here than a master is meant to have.
constexpr size_t kReportedReplicasMax = 20'000'000;

// Runs a call, counts it, and translates its outcome.
class CallRunner {
 public:
  CallRunner(Metrics& metrics, const Clock& clock) : metrics_(metrics), clock_(clock) {}

  template <class Fn>
  grpc::Status Run(std::string_view method, Fn call) const {
    const SteadyTime begin = clock_.Now();
    Status status = call();
    std::chrono::duration<double> seconds = clock_.Now() - begin;
    metrics_.CountCall(method, status.code(), seconds.count());
    return rpc::ToGrpc(status);
  }

 private:
  Metrics& metrics_;
  const Clock& clock_;
};

class ClientService final : public v1::DfsMaster::Service {
 public:
  ClientService(Master& master, CallRunner runner, std::string version)
      : master_(master), runner_(runner), version_(std::move(version)) {}

  grpc::Status Stat(grpc::ServerContext*,
                    const v1::StatRequest* request,
                    v1::StatResponse* response) override {
    return runner_.Run("Stat", [&]() -> Status {
      ASSIGN_OR_RETURN(FileStatus status, master_.GetStatus(request->path()));
      ToProto(status, *response->mutable_status());
      return {};
    });
  }

  grpc::Status List(grpc::ServerContext*,
                    const v1::ListRequest* request,
                    v1::ListResponse* response) override {
    return runner_.Run("List", [&]() -> Status {
      ASSIGN_OR_RETURN(Listing listing,
                       master_.List(request->path(), request->start_after(), request->limit()));
      for (const FileStatus& entry : listing.entries)
        ToProto(entry, *response->add_entries());
      response->set_has_more(listing.has_more);
      return {};
    });
  }

  grpc::Status MakeDirectory(grpc::ServerContext*,
                             const v1::MakeDirectoryRequest* request,
                             v1::MakeDirectoryResponse* response) override {
    return runner_.Run("MakeDirectory", [&]() -> Status {
      Attributes attributes{
          .owner = request->owner(), .group = request->group(), .mode = request->mode()};
      ASSIGN_OR_RETURN(
          FileStatus status,
          master_.MakeDirectory(request->path(), attributes, request->create_parents()));
      ToProto(status, *response->mutable_status());
      return {};
    });
  }

  grpc::Status Delete(grpc::ServerContext*,
                      const v1::DeleteRequest* request,
                      v1::DeleteResponse*) override {
    return runner_.Run("Delete", [&] {
      return master_.Delete(request->path(), request->recursive(), request->request_id());
    });
  }

  grpc::Status Rename(grpc::ServerContext*,
                      const v1::RenameRequest* request,
                      v1::RenameResponse*) override {
    return runner_.Run("Rename", [&] {
      return master_.Rename(
          request->source(), request->target(), request->replace(), request->request_id());
    });
  }

  grpc::Status LocateBlocks(grpc::ServerContext*,
                            const v1::LocateBlocksRequest* request,
                            v1::LocateBlocksResponse* response) override {
    return runner_.Run("LocateBlocks", [&]() -> Status {
      Master::FileName file{.path = request->path(), .inode = request->inode_id()};
      ASSIGN_OR_RETURN(
          LocatedRange range,
          master_.LocateBlocks(file, request->offset_bytes(), request->length_bytes()));
      ToProto(range, *response);
      return {};
    });
  }

  grpc::Status ReportBadReplica(grpc::ServerContext*,
                                const v1::ReportBadReplicaRequest* request,
                                v1::ReportBadReplicaResponse*) override {
    return runner_.Run("ReportBadReplica", [&] {
      return master_.ReportBadReplica(request->block_id(), request->node_id());
    });
  }

  grpc::Status AllocateBlocks(grpc::ServerContext*,
                              const v1::AllocateBlocksRequest* request,
                              v1::AllocateBlocksResponse* response) override {
    return runner_.Run("AllocateBlocks", [&]() -> Status {
      Master::AllocationRequest wanted{.writer = request->writer(),
                                       .count = request->count(),
                                       .stored_bytes = request->stored_bytes(),
                                       .excluded_node_ids = {request->exclude_node_ids().begin(),
                                                             request->exclude_node_ids().end()}};
      ASSIGN_OR_RETURN(BlockAllocation allocation, master_.AllocateBlocks(wanted));
      ToProto(allocation, *response);
      return {};
    });
  }

  grpc::Status AcquireAppender(grpc::ServerContext*,
                               const v1::AcquireAppenderRequest* request,
                               v1::AcquireAppenderResponse* response) override {
    return runner_.Run("AcquireAppender", [&]() -> Status {
      ASSIGN_OR_RETURN(AcquireResult result, master_.AcquireAppender(request->owner()));
      ToProto(result, *response);
      return {};
    });
  }

  grpc::Status Prepare(grpc::ServerContext*,
                       const v1::PrepareRequest* request,
                       v1::PrepareResponse* response) override {
    return runner_.Run("Prepare", [&]() -> Status {
      ASSIGN_OR_RETURN(std::vector<EpochAppend> epochs, FromProto(*request));
      ASSIGN_OR_RETURN(PrepareResult result, master_.Prepare(epochs, request->commit()));
      ToProto(result, *response);
      return {};
    });
  }

  grpc::Status Commit(grpc::ServerContext*,
                      const v1::CommitRequest* request,
                      v1::CommitResponse* response) override {
    return runner_.Run("Commit", [&]() -> Status {
      ASSIGN_OR_RETURN(std::vector<InodeId> dropped, master_.Commit(FromProto(*request)));
      for (InodeId inode : dropped)
        response->add_dropped_inode_ids(inode);
      return {};
    });
  }

  grpc::Status AbortAppender(grpc::ServerContext*,
                             const v1::AbortAppenderRequest* request,
                             v1::AbortAppenderResponse* response) override {
    return runner_.Run("AbortAppender", [&]() -> Status {
      ASSIGN_OR_RETURN(uint32_t discarded, master_.AbortAppender(request->owner()));
      response->set_discarded_epochs(discarded);
      return {};
    });
  }

  grpc::Status ListAppenders(grpc::ServerContext*,
                             const v1::ListAppendersRequest* request,
                             v1::ListAppendersResponse* response) override {
    return runner_.Run("ListAppenders", [&]() -> Status {
      ASSIGN_OR_RETURN(auto appenders, master_.ListAppenders(request->owner_prefix()));
      ToProto(appenders, *response);
      return {};
    });
  }

  grpc::Status GetClusterState(grpc::ServerContext*,
                               const v1::GetClusterStateRequest*,
                               v1::GetClusterStateResponse* response) override {
    return runner_.Run("GetClusterState", [&]() -> Status {
      ASSIGN_OR_RETURN(ClusterState state, master_.GetClusterState());
      ToProto(state, *response);
      response->set_version(version_);
      return {};
    });
  }

 private:
  Master& master_;
  const CallRunner runner_;
  const std::string version_;
};

class RegistryService final : public v1::DfsNodeRegistry::Service {
 public:
  RegistryService(Master& master, CallRunner runner) : master_(master), runner_(runner) {}

  grpc::Status Register(grpc::ServerContext*,
                        const v1::RegisterRequest* request,
                        v1::RegisterResponse* response) override {
    return runner_.Run("Register", [&]() -> Status {
      NodeRegistration registration{.node_id = request->node().node_id(),
                                    .address = request->node().address(),
                                    .failure_domain = request->failure_domain(),
                                    .admin_address = request->admin_address()};
      ASSIGN_OR_RETURN(RegistrationAnswer answer, master_.Register(registration));
      response->set_session(answer.session);
      response->set_log_position(answer.log_position);
      return {};
    });
  }

  grpc::Status Heartbeat(grpc::ServerContext*,
                         const v1::HeartbeatRequest* request,
                         v1::HeartbeatResponse* response) override {
    return runner_.Run("Heartbeat", [&]() -> Status {
      ASSIGN_OR_RETURN(std::vector<ReplicaChange> changes, FromProto(*request));
      NodeLoad load{.capacity_bytes = request->capacity_bytes(),
                    .used_bytes = request->used_bytes(),
                    .free_bytes = request->free_bytes(),
                    .active_writes = request->active_writes()};
      ASSIGN_OR_RETURN(HeartbeatAnswer answer,
                       master_.Heartbeat(request->node_id(), request->session(), load, changes));
      ToProto(answer, *response);
      return {};
    });
  }

  grpc::Status ReportBlocks(grpc::ServerContext*,
                            grpc::ServerReader<v1::ReportBlocksRequest>* reader,
                            v1::ReportBlocksResponse* response) override {
    return runner_.Run("ReportBlocks", [&]() -> Status {
      v1::ReportBlocksRequest chunk;
      std::vector<Block> replicas;
      bool has_chunk = false;
      while (reader->Read(&chunk)) {
        has_chunk = true;
        if (replicas.size() + static_cast<size_t>(chunk.replicas_size()) > kReportedReplicasMax) {
          return ResourceExhausted("report: too many replicas");
        }
        for (const v1::Replica& replica : chunk.replicas()) {
          ASSIGN_OR_RETURN(Block block, FromProto(replica.block()));
          replicas.push_back(block);
        }
      }
      // Every chunk names the node; a report of nothing is one chunk without replicas. Without any
      // the stream broke before it began.
      if (!has_chunk) return InvalidArgument("report: no chunk");
      ASSIGN_OR_RETURN(
          uint64_t position,
          master_.ReportBlocks(chunk.node_id(), chunk.session(), chunk.sequence(), replicas));
      response->set_log_position(position);
      return {};
    });
  }

 private:
  Master& master_;
  const CallRunner runner_;
};

}  // namespace

struct MasterService::Impl {
  ClientService clients;
  RegistryService registry;
};

MasterService::MasterService(Master& master,
                             Metrics& metrics,
                             const Clock& clock,
                             std::string version)
    : impl_(new Impl{.clients = {master, CallRunner(metrics, clock), std::move(version)},
                     .registry = {master, CallRunner(metrics, clock)}}) {}

MasterService::~MasterService() = default;

std::vector<grpc::Service*> MasterService::services() {
  return {&impl_->clients, &impl_->registry};
}

}  // namespace slipstream::dfs::master
