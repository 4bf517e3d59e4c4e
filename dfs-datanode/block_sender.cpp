#include "dfs-datanode/block_sender.h"

#include <fmt/format.h>

#include "proto/dfs_datanode.pb.h"

namespace slipstream::datanode {

using dfs::v1::WriteBlocksRequest;

struct BlockSender::Call {
  std::shared_ptr<rpc::Peer> peer;
  WriteBlocksRequest first;  // the header, until it is sent
  dfs::v1::WriteBlocksResponse response;
  std::unique_ptr<rpc::RequestStream> stream;  // goes before what it borrows

  void SendHeaderAhead() {
    if (!first.has_header()) return;
    // If it fails, so does what comes behind it.
    (void)stream->SendAhead(first);
    first.Clear();
  }
};

BlockSender::BlockSender(Peers& peers, const Options& options)
    : peer_(options.chain.at(0)), call_(std::make_unique<Call>()) {
  call_->peer = peers.To(peer_.address);
  call_->stream =
      call_->peer->OpenRequestStream("/slipstream.dfs.v1.DfsDatanode/WriteBlocks",
                                     call_->response,
                                     {.timeout = options.timeout, .stop = options.stop});
  WriteBlocksRequest::Header& header = *call_->first.mutable_header();
  header.set_is_repair(options.is_repair);
  header.mutable_range()->set_first_block_id(options.grant.first);
  header.mutable_range()->set_count(options.grant.count);
  header.set_token(options.token);
  for (size_t i = 1; i < options.chain.size(); ++i) {
    dfs::v1::NodeAddress* next = header.add_next();
    next->set_node_id(options.chain[i].node_id);
    next->set_address(options.chain[i].address);
  }
}

BlockSender::~BlockSender() = default;

bool BlockSender::Send(const WriteBlocksRequest& request) {
  if (request.has_whole_blocks() && call_->first.has_header()) {
    *call_->first.mutable_whole_blocks() = request.whole_blocks();
    const bool is_sent = SendWhole(call_->first);
    call_->first.Clear();
    return is_sent;
  }
  call_->SendHeaderAhead();
  // A block's header is of no use to the peer without its data.
  return request.has_block() ? call_->stream->SendAhead(request) : SendWhole(request);
}

bool BlockSender::SendWhole(const WriteBlocksRequest& request) {
  return request.whole_blocks().is_end() ? call_->stream->SendLast(request)
                                         : call_->stream->Send(request);
}

void BlockSender::HalfClose() {
  call_->SendHeaderAhead();
  call_->stream->HalfClose();
}

Result<std::vector<std::string>> BlockSender::Finish() {
  HalfClose();
  if (Status status = call_->stream->Finish(); !status.ok()) {
    return Unavailable(fmt::format(
        "next node={} address={}: {}", peer_.node_id, peer_.address, status.ToString()));
  }
  return std::vector<std::string>(call_->response.holder_node_ids().begin(),
                                  call_->response.holder_node_ids().end());
}

}  // namespace slipstream::datanode
