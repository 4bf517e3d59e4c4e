#include "dfs-datanode/datanode_service.h"

#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include "proto/dfs_datanode.grpc.pb.h"

#include "common/clock/clock.h"
#include "common/failpoint/failpoint.h"
#include "common/log/log.h"
#include "common/rpc/status_map.h"
#include "dfs-datanode/proto_map.h"
#include "dfs-datanode/replica_writer.h"

namespace slipstream::datanode {
namespace {

using dfs::v1::ReadBlockRequest;
using dfs::v1::ReadBlockResponse;
using dfs::v1::WriteBlocksRequest;
using dfs::v1::WriteBlocksResponse;

Status CheckDeadline(const grpc::ServerContext& context) {
  if (context.deadline() != std::chrono::system_clock::time_point::max()) return {};
  return InvalidArgument("the call has no deadline");
}

class GaugeHold {
 public:
  explicit GaugeHold(prometheus::Gauge& gauge) : gauge_(gauge) { gauge_.Increment(); }
  ~GaugeHold() { gauge_.Decrement(); }
  GaugeHold(const GaugeHold&) = delete;
  GaugeHold& operator=(const GaugeHold&) = delete;

 private:
  prometheus::Gauge& gauge_;
};

}  // namespace

class DatanodeService::Impl final : public dfs::v1::DfsDatanode::Service {
 public:
  Impl(Options options, ReplicaStore& store, Peers& peers, Metrics& metrics)
      : options_(std::move(options)), store_(store), peers_(peers), metrics_(metrics) {}

  grpc::Status WriteBlocks(grpc::ServerContext* context,
                           grpc::ServerReader<WriteBlocksRequest>* reader,
                           WriteBlocksResponse* response) override {
    const SteadyTime began = SystemClock::Get().Now();
    Received received;
    Status status = ReceiveBlocks(*context, *reader, received, *response);
    metrics_.write_seconds.Observe(
        std::chrono::duration<double>(SystemClock::Get().Now() - began).count());
    if (status.ok()) {
      metrics_.blocks_written.Increment(static_cast<double>(received.blocks));
      metrics_.bytes_written.Increment(static_cast<double>(received.bytes));
    } else {
      metrics_.writes_failed.Increment();
      log_->warn("write_failed peer={} blocks={} bytes={} error={}",
                 context->peer(),
                 received.blocks,
                 received.bytes,
                 log::Quoted(status.ToString()));
    }
    return rpc::ToGrpc(status);
  }

  grpc::Status ReadBlock(grpc::ServerContext* context,
                         const ReadBlockRequest* request,
                         grpc::ServerWriter<ReadBlockResponse>* writer) override {
    Status status = SendFrames(*context, *request, *writer);
    if (!status.ok()) {
      metrics_.reads_failed.Increment();
      log_->debug("read_failed peer={} id={} error={}",
                  context->peer(),
                  request->block().block_id(),
                  log::Quoted(status.ToString()));
    }
    return rpc::ToGrpc(status);
  }

 private:
  // Of one stream.
  struct Received {
    size_t blocks = 0;
    uint64_t bytes = 0;
  };

  Status ReceiveBlocks(grpc::ServerContext& context,
                       grpc::ServerReader<WriteBlocksRequest>& reader,
                       Received& received,
                       WriteBlocksResponse& response) {
    RETURN_IF_ERROR(CheckDeadline(context));
    WriteBlocksRequest request;
    if (!reader.Read(&request) || !request.has_header()) {
      return InvalidArgument("the stream does not begin with a header");
    }
    if (request.header().next_size() > kChainMax) return InvalidArgument("chain too long");
    if (!request.header().is_repair() && !options_.has_master()) {
      return Unavailable(fmt::format("node={} has lost its master", options_.node_id));
    }
    const GaugeHold active(metrics_.active_writes);
    const std::unique_ptr<BlockSender> next = StartNext(context, request.header());
    const std::unique_ptr<ReplicaWriter> writer = store_.NewWriter();
    while (reader.Read(&request)) {
      // Passed on first, so that both disks work at the same time.
      if (next != nullptr && !next->Send(request)) return next->Finish().status();
      RETURN_IF_ERROR(Receive(request, *writer, received));
    }
    if (context.IsCancelled()) return Cancelled("the writer is gone");
    if (next != nullptr) next->HalfClose();
    RETURN_IF_ERROR(writer->Commit());
    response.add_holder_node_ids(options_.node_id);
    if (next != nullptr) {
      ASSIGN_OR_RETURN(std::vector<std::string> holders, next->Finish());
      for (std::string& holder : holders)
        response.add_holder_node_ids(std::move(holder));
    }
    SLIPSTREAM_FAILPOINT("datanode.write.before_answer");
    return {};
  }

  std::unique_ptr<BlockSender> StartNext(const grpc::ServerContext& context,
                                         const WriteBlocksRequest::Header& header) {
    if (header.next_size() == 0) return nullptr;
    BlockSender::Options options{.is_repair = header.is_repair(), .parent = &context};
    for (const dfs::v1::NodeAddress& node : header.next()) {
      options.chain.push_back({.node_id = node.node_id(), .address = node.address()});
    }
    return std::make_unique<BlockSender>(peers_, options);
  }

  Status Receive(const WriteBlocksRequest& request, ReplicaWriter& writer, Received& received) {
    switch (request.part_case()) {
      case WriteBlocksRequest::kBlock:
        if (received.blocks == kBlocksPerStreamMax) return InvalidArgument("too many blocks");
        RETURN_IF_ERROR(writer.Begin(FromProto(request.block())));
        ++received.blocks;
        return {};
      case WriteBlocksRequest::kData:
        RETURN_IF_ERROR(writer.Append(request.data()));
        received.bytes += request.data().size();
        return {};
      case WriteBlocksRequest::kHeader:
      case WriteBlocksRequest::PART_NOT_SET:
        break;
    }
    return InvalidArgument("neither a block nor data");
  }

  Status SendFrames(const grpc::ServerContext& context,
                    const ReadBlockRequest& request,
                    grpc::ServerWriter<ReadBlockResponse>& writer) {
    RETURN_IF_ERROR(CheckDeadline(context));
    const block::Identity wanted = FromProto(request.block());
    Result<ReplicaReader> reader = store_.Read(wanted.block_id);
    if (!reader.ok()) return Judge(wanted.block_id, reader.status());
    const block::BlockMeta& meta = reader->meta();
    if (meta.identity != wanted) {
      return Judge(
          wanted.block_id,
          DataLoss(fmt::format("block {} is {} here", ToString(wanted), ToString(meta.identity))));
    }
    ASSIGN_OR_RETURN(const block::FrameRange range,
                     FramesCovering(meta, request.offset_bytes(), request.length_bytes()));
    ReadBlockResponse response;
    uint64_t raw_offset = range.raw_offset;
    for (size_t i = range.begin; i < range.end; ++i) {
      Status status = reader->ReadFrame(i, *response.mutable_data());
      if (!status.ok()) return Judge(wanted.block_id, status);
      response.set_raw_offset_bytes(raw_offset);
      *response.mutable_frame() = ToProto(meta.frames[i]);
      if (!writer.Write(response)) return Cancelled("the reader is gone");
      raw_offset += meta.frames[i].raw_bytes;
      metrics_.frames_read.Increment();
      metrics_.bytes_read.Increment(meta.frames[i].stored_bytes);
    }
    return {};
  }

  // What a failed read says of the replica is checked over all of it, here and now: if it is bad,
  // the store takes it out of the way and the master is told. A reader goes elsewhere either way.
  Status Judge(block::BlockId block_id, const Status& status) {
    if (status.code() == Code::kDataLoss || status.code() == Code::kUnavailable) {
      (void)store_.Verify(block_id);
    }
    return status;
  }

  const Options options_;
  ReplicaStore& store_;
  Peers& peers_;
  Metrics& metrics_;
  const std::shared_ptr<spdlog::logger> log_ = log::Get("datanode.service");
};

DatanodeService::DatanodeService(Options options,
                                 ReplicaStore& store,
                                 Peers& peers,
                                 Metrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(options), store, peers, metrics)) {}

DatanodeService::~DatanodeService() = default;

grpc::Service& DatanodeService::service() {
  return *impl_;
}

}  // namespace slipstream::datanode
