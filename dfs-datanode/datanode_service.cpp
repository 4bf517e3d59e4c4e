#include "dfs-datanode/datanode_service.h"

#include <chrono>
#include <string_view>

#include <grpcpp/grpcpp.h>

#include "proto/dfs_datanode.grpc.pb.h"

#include "common/log/log.h"
#include "common/metrics/call_metrics.h"
#include "common/rpc/call_trace.h"
#include "common/rpc/status_map.h"

namespace slipstream::datanode {
namespace {

using dfs::v1::ChecksumBlockRequest;
using dfs::v1::ChecksumBlockResponse;
using dfs::v1::ReadBlockRequest;
using dfs::v1::ReadBlockResponse;
using dfs::v1::ReadRangeResponse;
using dfs::v1::WriteBlocksRequest;
using dfs::v1::WriteBlocksResponse;

Status CheckDeadline(const grpc::ServerContext& context) {
  if (context.deadline() != std::chrono::system_clock::time_point::max()) return {};
  return InvalidArgument("the call has no deadline");
}

}  // namespace

class DatanodeService::Impl final : public dfs::v1::DfsDatanode::Service {
 public:
  Impl(ReplicaServer& replicas, metrics::CallMetrics& calls, const Clock& clock)
      : replicas_(replicas), calls_(calls), clock_(clock) {}

  grpc::Status WriteBlocks(grpc::ServerContext* context,
                           grpc::ServerReader<WriteBlocksRequest>* reader,
                           WriteBlocksResponse* response) override {
    // Passed on, too, along the chain of datanodes.
    const trace::Scope scope(rpc::TraceOf(*context));
    return Count("WriteBlocks", [&] { return Receive(*context, *reader, *response); });
  }

  grpc::Status ReadBlock(grpc::ServerContext* context,
                         const ReadBlockRequest* request,
                         grpc::ServerWriter<ReadBlockResponse>* writer) override {
    return Count("ReadBlock", [&] {
      Status status = CheckDeadline(*context);
      if (status.ok()) {
        status = replicas_.Read(*request, [&](const ReadBlockResponse& frame, bool is_last) {
          grpc::WriteOptions options;
          // Travels with the call's end.
          if (is_last) options.set_last_message();
          return writer->Write(frame, options);
        });
      }
      LogFailure("read_failed", *context, request->block().block_id(), status);
      return status;
    });
  }

  grpc::Status ReadRange(grpc::ServerContext* context,
                         const ReadBlockRequest* request,
                         ReadRangeResponse* response) override {
    return Count("ReadRange", [&] {
      Status status = CheckDeadline(*context);
      if (status.ok()) status = replicas_.ReadRange(*request, *response);
      LogFailure("read_failed", *context, request->block().block_id(), status);
      return status;
    });
  }

  grpc::Status ChecksumBlock(grpc::ServerContext* context,
                             const ChecksumBlockRequest* request,
                             grpc::ServerWriter<ChecksumBlockResponse>* writer) override {
    return Count("ChecksumBlock", [&] {
      Status status = CheckDeadline(*context);
      if (status.ok()) {
        status = replicas_.Checksum(*request, [&](const ChecksumBlockResponse& checksums) {
          return writer->Write(checksums);
        });
      }
      LogFailure("checksum_failed", *context, request->block().block_id(), status);
      return status;
    });
  }

 private:
  template <class Call>
  grpc::Status Count(std::string_view method, Call call) {
    const SteadyTime begin = clock_.Now();
    const Status status = call();
    const std::chrono::duration<double> seconds = clock_.Now() - begin;
    calls_.Count(method, CodeName(status.code()), seconds.count());
    return rpc::ToGrpc(status);
  }

  Status Receive(grpc::ServerContext& context,
                 grpc::ServerReader<WriteBlocksRequest>& reader,
                 WriteBlocksResponse& response) {
    RETURN_IF_ERROR(CheckDeadline(context));
    const auto left = context.deadline() - SystemClock::Get().WallNow();
    const std::unique_ptr<BlockReceiver> receiver = replicas_.NewReceiver(
        context.peer(), clock_.Now() + std::chrono::duration_cast<std::chrono::milliseconds>(left));
    WriteBlocksRequest request;
    while (reader.Read(&request))
      RETURN_IF_ERROR(receiver->Receive(request));
    // The stream of a writer that vanished ends, too.
    if (context.IsCancelled()) return Cancelled("the writer is gone");
    return receiver->Finish(response);
  }

  void LogFailure(const char* event,
                  const grpc::ServerContext& context,
                  block::BlockId block_id,
                  const Status& status) const {
    if (status.ok()) return;
    log_->debug("{} peer={} id={} error={}",
                event,
                context.peer(),
                block_id,
                log::Quoted(status.ToString()));
  }

  ReplicaServer& replicas_;
  metrics::CallMetrics& calls_;
  const Clock& clock_;
  const std::shared_ptr<spdlog::logger> log_ = log::Get("datanode.service");
};

DatanodeService::DatanodeService(ReplicaServer& replicas,
                                 metrics::CallMetrics& calls,
                                 const Clock& clock)
    : impl_(std::make_unique<Impl>(replicas, calls, clock)) {}

DatanodeService::~DatanodeService() = default;

access::Role DatanodeService::RoleNeeded(std::string_view method) {
  // All others only read; gRPC's own are health and reflection.
  return method == "/slipstream.dfs.v1.DfsDatanode/WriteBlocks" ? access::Role::kWrite
                                                                : access::Role::kRead;
}

bool DatanodeService::AsksItself(std::string_view method) {
  return method.starts_with("/slipstream.dfs.v1.DfsDatanode/");
}

grpc::Service& DatanodeService::service() {
  return *impl_;
}

}  // namespace slipstream::datanode
