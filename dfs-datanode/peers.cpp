#include "dfs-datanode/peers.h"

#include <utility>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "proto/dfs_datanode.grpc.pb.h"

#include "common/check/check.h"
#include "common/clock/clock.h"
#include "common/rpc/channel.h"
#include "common/rpc/status_map.h"

namespace slipstream::datanode {
namespace {

// More addresses than a cluster has only come of nodes that moved; then all are made anew.
constexpr size_t kChannelsMax = 1'000;

// The next node gets this much less of the time that is left, so that, when it hangs, there is time
// to say so: the writer must know which node of the chain to avoid.
constexpr int kBlameTimeDivisor = 5;

// How long a write waits for a node that went away and may be back; the writer has others.
constexpr std::chrono::milliseconds kReconnectTimeout{200};

std::unique_ptr<grpc::ClientContext> MakeContext(const BlockSender::Options& options) {
  if (options.parent == nullptr) {
    auto context = std::make_unique<grpc::ClientContext>();
    rpc::SetTimeout(*context, options.timeout);
    return context;
  }
  std::unique_ptr<grpc::ClientContext> context =
      grpc::ClientContext::FromServerContext(*options.parent);
  const auto deadline = options.parent->deadline();
  const auto left = deadline - SystemClock::Get().WallNow();
  context->set_deadline(deadline - left / kBlameTimeDivisor);
  return context;
}

}  // namespace

std::shared_ptr<grpc::Channel> Peers::ChannelTo(const std::string& address) {
  std::shared_ptr<grpc::Channel> channel;
  {
    MutexLock lock(mutex_);
    if (channels_.size() >= kChannelsMax && !channels_.contains(address)) channels_.clear();
    std::shared_ptr<grpc::Channel>& known = channels_[address];
    if (known == nullptr) known = rpc::MakeChannel(address);
    channel = known;
  }
  rpc::AwaitReconnect(*channel, kReconnectTimeout);
  return channel;
}

struct BlockSender::Call {
  std::unique_ptr<grpc::ClientContext> context;
  dfs::v1::WriteBlocksResponse response;
  std::unique_ptr<grpc::ClientWriter<dfs::v1::WriteBlocksRequest>> writer;
  bool is_half_closed = false;
  bool is_finished = false;
};

BlockSender::BlockSender(Peers& peers, const Options& options)
    : peer_(options.chain.at(0)), call_(std::make_unique<Call>()) {
  call_->context = MakeContext(options);
  call_->writer = dfs::v1::DfsDatanode::NewStub(peers.ChannelTo(peer_.address))
                      ->WriteBlocks(call_->context.get(), &call_->response);
  dfs::v1::WriteBlocksRequest request;
  request.mutable_header()->set_is_repair(options.is_repair);
  for (size_t i = 1; i < options.chain.size(); ++i) {
    dfs::v1::NodeAddress* next = request.mutable_header()->add_next();
    next->set_node_id(options.chain[i].node_id);
    next->set_address(options.chain[i].address);
  }
  // If it fails, so does the first Send, or Finish.
  (void)Send(request);
}

BlockSender::~BlockSender() {
  if (call_->is_finished) return;
  call_->context->TryCancel();
  (void)call_->writer->Finish();
}

bool BlockSender::Send(const dfs::v1::WriteBlocksRequest& request) {
  return call_->writer->Write(request);
}

void BlockSender::HalfClose() {
  if (!std::exchange(call_->is_half_closed, true)) (void)call_->writer->WritesDone();
}

Result<std::vector<std::string>> BlockSender::Finish() {
  SLIPSTREAM_CHECK(!call_->is_finished, "finished twice");
  HalfClose();
  const Status status = rpc::FromGrpc(call_->writer->Finish());
  call_->is_finished = true;
  if (!status.ok()) {
    return Unavailable(fmt::format(
        "next node={} address={}: {}", peer_.node_id, peer_.address, status.ToString()));
  }
  return std::vector<std::string>(call_->response.holder_node_ids().begin(),
                                  call_->response.holder_node_ids().end());
}

}  // namespace slipstream::datanode
