#include "dfs-datanode/block_sender.h"

#include <fmt/format.h>

#include "proto/dfs_datanode.pb.h"

namespace slipstream::datanode {

struct BlockSender::Call {
  std::shared_ptr<rpc::Peer> peer;
  dfs::v1::WriteBlocksResponse response;
  std::unique_ptr<rpc::RequestStream> stream;  // goes before what it borrows
};

BlockSender::BlockSender(Peers& peers, const Options& options)
    : peer_(options.chain.at(0)), call_(std::make_unique<Call>()) {
  call_->peer = peers.To(peer_.address);
  call_->stream =
      call_->peer->OpenRequestStream("/slipstream.dfs.v1.DfsDatanode/WriteBlocks",
                                     call_->response,
                                     {.timeout = options.timeout, .stop = options.stop});
  dfs::v1::WriteBlocksRequest request;
  request.mutable_header()->set_is_repair(options.is_repair);
  request.mutable_header()->mutable_range()->set_first_block_id(options.grant.first);
  request.mutable_header()->mutable_range()->set_count(options.grant.count);
  request.mutable_header()->set_token(options.token);
  for (size_t i = 1; i < options.chain.size(); ++i) {
    dfs::v1::NodeAddress* next = request.mutable_header()->add_next();
    next->set_node_id(options.chain[i].node_id);
    next->set_address(options.chain[i].address);
  }
  // If it fails, so does the first Send, or Finish.
  (void)call_->stream->SendAhead(request);
}

BlockSender::~BlockSender() = default;

bool BlockSender::Send(const dfs::v1::WriteBlocksRequest& request) {
  // A block's header is of no use to the peer without its data.
  if (request.has_block()) return call_->stream->SendAhead(request);
  return request.whole_blocks().is_end() ? call_->stream->SendLast(request)
                                         : call_->stream->Send(request);
}

void BlockSender::HalfClose() {
  call_->stream->HalfClose();
}

Result<std::vector<std::string>> BlockSender::Finish() {
  if (Status status = call_->stream->Finish(); !status.ok()) {
    return Unavailable(fmt::format(
        "next node={} address={}: {}", peer_.node_id, peer_.address, status.ToString()));
  }
  return std::vector<std::string>(call_->response.holder_node_ids().begin(),
                                  call_->response.holder_node_ids().end());
}

}  // namespace slipstream::datanode
