#include "dfs-master/master_service.h"

#include <chrono>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "proto/dfs_master.grpc.pb.h"

#include "common/rpc/status_map.h"
#include "dfs-master/master_handlers.h"

namespace slipstream::dfs::master {
namespace {

using Context = grpc::ServerContext;

// Runs a call, counts it, and translates its outcome.
class CallRunner {
 public:
  CallRunner(MasterHandlers& handlers, Metrics& metrics, const Clock& clock)
      : handlers_(handlers), metrics_(metrics), clock_(clock) {}

  template <class Request, class Response>
  grpc::Status Run(std::string_view method, const Request* request, Response* response) const {
    return Run(method, [&] { return handlers_.Answer(*request, *response); });
  }

  template <class Fn>
  grpc::Status Run(std::string_view method, Fn call) const {
    const SteadyTime begin = clock_.Now();
    Status status = call();
    std::chrono::duration<double> seconds = clock_.Now() - begin;
    metrics_.CountCall(method, status.code(), seconds.count());
    return rpc::ToGrpc(status);
  }

  MasterHandlers& handlers() const { return handlers_; }

 private:
  MasterHandlers& handlers_;
  Metrics& metrics_;
  const Clock& clock_;
};

class ClientService final : public v1::DfsMaster::Service {
 public:
  explicit ClientService(CallRunner runner) : runner_(runner) {}

  grpc::Status Stat(Context*, const v1::StatRequest* in, v1::StatResponse* out) override {
    return runner_.Run("Stat", in, out);
  }
  grpc::Status List(Context*, const v1::ListRequest* in, v1::ListResponse* out) override {
    return runner_.Run("List", in, out);
  }
  grpc::Status MakeDirectory(Context*,
                             const v1::MakeDirectoryRequest* in,
                             v1::MakeDirectoryResponse* out) override {
    return runner_.Run("MakeDirectory", in, out);
  }
  grpc::Status Delete(Context*, const v1::DeleteRequest* in, v1::DeleteResponse* out) override {
    return runner_.Run("Delete", in, out);
  }
  grpc::Status Rename(Context*, const v1::RenameRequest* in, v1::RenameResponse* out) override {
    return runner_.Run("Rename", in, out);
  }
  grpc::Status SetAttributes(Context*,
                             const v1::SetAttributesRequest* in,
                             v1::SetAttributesResponse* out) override {
    return runner_.Run("SetAttributes", in, out);
  }
  grpc::Status SetReplication(Context*,
                              const v1::SetReplicationRequest* in,
                              v1::SetReplicationResponse* out) override {
    return runner_.Run("SetReplication", in, out);
  }
  grpc::Status SetQuota(Context*,
                        const v1::SetQuotaRequest* in,
                        v1::SetQuotaResponse* out) override {
    return runner_.Run("SetQuota", in, out);
  }
  grpc::Status Truncate(Context*,
                        const v1::TruncateRequest* in,
                        v1::TruncateResponse* out) override {
    return runner_.Run("Truncate", in, out);
  }
  grpc::Status Concat(Context*, const v1::ConcatRequest* in, v1::ConcatResponse* out) override {
    return runner_.Run("Concat", in, out);
  }
  grpc::Status StatBatch(Context*,
                         const v1::StatBatchRequest* in,
                         v1::StatBatchResponse* out) override {
    return runner_.Run("StatBatch", in, out);
  }
  grpc::Status LocateBlocks(Context*,
                            const v1::LocateBlocksRequest* in,
                            v1::LocateBlocksResponse* out) override {
    return runner_.Run("LocateBlocks", in, out);
  }
  grpc::Status ReportBadReplica(Context*,
                                const v1::ReportBadReplicaRequest* in,
                                v1::ReportBadReplicaResponse* out) override {
    return runner_.Run("ReportBadReplica", in, out);
  }
  grpc::Status AllocateBlocks(Context*,
                              const v1::AllocateBlocksRequest* in,
                              v1::AllocateBlocksResponse* out) override {
    return runner_.Run("AllocateBlocks", in, out);
  }
  grpc::Status AcquireAppender(Context*,
                               const v1::AcquireAppenderRequest* in,
                               v1::AcquireAppenderResponse* out) override {
    return runner_.Run("AcquireAppender", in, out);
  }
  grpc::Status Prepare(Context*, const v1::PrepareRequest* in, v1::PrepareResponse* out) override {
    return runner_.Run("Prepare", in, out);
  }
  grpc::Status Commit(Context*, const v1::CommitRequest* in, v1::CommitResponse* out) override {
    return runner_.Run("Commit", in, out);
  }
  grpc::Status AbortAppender(Context*,
                             const v1::AbortAppenderRequest* in,
                             v1::AbortAppenderResponse* out) override {
    return runner_.Run("AbortAppender", in, out);
  }
  grpc::Status ListAppenders(Context*,
                             const v1::ListAppendersRequest* in,
                             v1::ListAppendersResponse* out) override {
    return runner_.Run("ListAppenders", in, out);
  }
  grpc::Status RenewLease(Context*,
                          const v1::RenewLeaseRequest* in,
                          v1::RenewLeaseResponse* out) override {
    return runner_.Run("RenewLease", in, out);
  }
  grpc::Status GetDefaults(Context*,
                           const v1::GetDefaultsRequest* in,
                           v1::GetDefaultsResponse* out) override {
    return runner_.Run("GetDefaults", in, out);
  }
  grpc::Status GetClusterState(Context*,
                               const v1::GetClusterStateRequest* in,
                               v1::GetClusterStateResponse* out) override {
    return runner_.Run("GetClusterState", in, out);
  }

 private:
  const CallRunner runner_;
};

class AdminService final : public v1::DfsAdmin::Service {
 public:
  explicit AdminService(CallRunner runner) : runner_(runner) {}

  grpc::Status SetSafeMode(Context*,
                           const v1::SetSafeModeRequest* in,
                           v1::SetSafeModeResponse* out) override {
    return runner_.Run("SetSafeMode", in, out);
  }
  grpc::Status SetNodeService(Context*,
                              const v1::SetNodeServiceRequest* in,
                              v1::SetNodeServiceResponse* out) override {
    return runner_.Run("SetNodeService", in, out);
  }
  grpc::Status Balance(Context*, const v1::BalanceRequest* in, v1::BalanceResponse* out) override {
    return runner_.Run("Balance", in, out);
  }
  grpc::Status CheckFiles(Context*,
                          const v1::CheckFilesRequest* in,
                          v1::CheckFilesResponse* out) override {
    return runner_.Run("CheckFiles", in, out);
  }

 private:
  const CallRunner runner_;
};

class RegistryService final : public v1::DfsNodeRegistry::Service {
 public:
  explicit RegistryService(CallRunner runner) : runner_(runner) {}

  grpc::Status Register(Context*,
                        const v1::RegisterRequest* in,
                        v1::RegisterResponse* out) override {
    return runner_.Run("Register", in, out);
  }
  grpc::Status Heartbeat(Context*,
                         const v1::HeartbeatRequest* in,
                         v1::HeartbeatResponse* out) override {
    return runner_.Run("Heartbeat", in, out);
  }
  grpc::Status ReportBlocks(Context*,
                            grpc::ServerReader<v1::ReportBlocksRequest>* reader,
                            v1::ReportBlocksResponse* out) override {
    return runner_.Run("ReportBlocks", [&]() -> Status {
      MasterHandlers::BlockReport report = runner_.handlers().BeginBlockReport();
      v1::ReportBlocksRequest chunk;
      while (reader->Read(&chunk))
        RETURN_IF_ERROR(report.Add(chunk));
      return report.Finish(*out);
    });
  }

 private:
  const CallRunner runner_;
};

}  // namespace

struct MasterService::Impl {
  Impl(Master& master, Metrics& metrics, const Clock& clock, std::string version)
      : handlers(master, std::move(version)), runner(handlers, metrics, clock) {}

  MasterHandlers handlers;
  CallRunner runner;
  ClientService clients{runner};
  AdminService admin{runner};
  RegistryService registry{runner};
};

MasterService::MasterService(Master& master,
                             Metrics& metrics,
                             const Clock& clock,
                             std::string version)
    : impl_(std::make_unique<Impl>(master, metrics, clock, std::move(version))) {}

MasterService::~MasterService() = default;

std::vector<grpc::Service*> MasterService::services() {
  return {&impl_->clients, &impl_->admin, &impl_->registry};
}

}  // namespace slipstream::dfs::master
