#include "dfs-datanode/block_receiver.h"

#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include "proto/dfs_datanode.pb.h"

#include "common/failpoint/failpoint.h"
#include "common/log/log.h"
#include "dfs-datanode/proto_map.h"

namespace slipstream::datanode {
namespace {

using dfs::v1::WriteBlocksRequest;
using dfs::v1::WriteBlocksResponse;
using std::chrono::milliseconds;

// The next node gets this much less of the time that is left, so that, when it hangs, there is time
// to say so: the writer must know which node of the chain to avoid.
constexpr int kBlameTimeDivisor = 5;

}  // namespace

BlockReceiver::BlockReceiver(const Node& node, std::string writer, SteadyTime deadline)
    : node_(node),
      writer_name_(std::move(writer)),
      log_(log::Get("datanode.receiver")),
      began_(node.clock.Now()),
      deadline_(deadline) {
  node_.metrics.active_writes.Increment();
}

BlockReceiver::~BlockReceiver() {
  if (!is_settled_) (void)Settle(Cancelled("the writer is gone"));
  node_.metrics.active_writes.Decrement();
}

Status BlockReceiver::Receive(const WriteBlocksRequest& request) {
  Status status = Take(request);
  return status.ok() ? status : Settle(status);
}

Status BlockReceiver::Finish(WriteBlocksResponse& response) {
  return Settle(Commit(response));
}

Status BlockReceiver::Settle(const Status& status) {
  is_settled_ = true;
  node_.metrics.write_seconds.Observe(
      std::chrono::duration<double>(node_.clock.Now() - began_).count());
  if (status.ok()) {
    node_.metrics.blocks_written.Increment(static_cast<double>(block_count_));
    node_.metrics.bytes_written.Increment(static_cast<double>(stored_bytes_));
  } else {
    node_.metrics.writes_failed.Increment();
    log_->warn("write_failed writer={} blocks={} bytes={} error={}",
               log::Quoted(writer_name_),
               block_count_,
               stored_bytes_,
               log::Quoted(status.ToString()));
  }
  return status;
}

Status BlockReceiver::Take(const WriteBlocksRequest& request) {
  const bool is_first = writer_ == nullptr;
  if (is_first != request.has_header()) {
    return InvalidArgument(is_first ? "the stream does not begin with a header"
                                    : "a second header");
  }
  if (is_first) {
    RETURN_IF_ERROR(Begin(request.header()));
    if (!request.has_whole_blocks()) return {};
  }
  if (is_at_end_) return InvalidArgument("a message behind the last");
  is_at_end_ = request.whole_blocks().is_end();
  // Passed on first, so that both disks work at the same time.
  if (next_ != nullptr && !next_->Send(request)) return next_->Finish().status();
  return Store(request);
}

Status BlockReceiver::Begin(const WriteBlocksRequest::Header& header) {
  if (header.next_size() > kChainMax) return InvalidArgument("chain too long");
  if (!header.is_repair() && !node_.has_master()) {
    return Unavailable(fmt::format("node={} has lost its master", node_.node_id));
  }
  grant_ = {.right = block::Right::kWrite,
            .first = header.range().first_block_id(),
            .count = header.range().count()};
  if (node_.tokens != nullptr) RETURN_IF_ERROR(node_.tokens->Check(grant_, header.token()));
  if (header.next_size() > 0) {
    const auto left = std::chrono::floor<milliseconds>(deadline_ - node_.clock.Now());
    if (left <= milliseconds(0)) return DeadlineExceeded("no time is left");
    BlockSender::Options options{.is_repair = header.is_repair(),
                                 .grant = grant_,
                                 .token = header.token(),
                                 .timeout = left - left / kBlameTimeDivisor};
    for (const dfs::v1::NodeAddress& node : header.next()) {
      options.chain.push_back({.node_id = node.node_id(), .address = node.address()});
    }
    next_ = std::make_unique<BlockSender>(node_.peers, options);
  }
  writer_ = node_.store.NewWriter();
  return {};
}

Status BlockReceiver::Store(const WriteBlocksRequest& request) {
  const bool is_part = request.has_block() || request.has_data();
  if (is_part == request.has_whole_blocks()) {
    return InvalidArgument("neither a block, nor data, nor whole blocks, or several of them");
  }
  if (!is_part) return StoreWhole(request.whole_blocks());
  return request.has_block() ? BeginBlock(request.block()) : Append(request.data());
}

Status BlockReceiver::BeginBlock(const WriteBlocksRequest::BlockHeader& header) {
  if (block_count_ == kBlocksPerStreamMax) return InvalidArgument("too many blocks");
  const block::BlockId id = header.block().block_id();
  if (node_.tokens != nullptr && !grant_.Covers(id)) {
    return Status(Code::kPermissionDenied, fmt::format("the block token is not for block {}", id));
  }
  RETURN_IF_ERROR(writer_->Begin(FromProto(header)));
  ++block_count_;
  log_->debug("block_begun id={}", id);
  return {};
}

Status BlockReceiver::Append(std::string_view stored) {
  RETURN_IF_ERROR(writer_->Append(stored));
  stored_bytes_ += stored.size();
  return {};
}

Status BlockReceiver::StoreWhole(const WriteBlocksRequest::WholeBlocks& whole) {
  std::string_view rest = whole.data();
  for (const WriteBlocksRequest::BlockHeader& header : whole.blocks()) {
    const uint64_t stored_bytes = header.block().stored_bytes();
    if (stored_bytes > rest.size()) return InvalidArgument("fewer data than the blocks have");
    RETURN_IF_ERROR(BeginBlock(header));
    RETURN_IF_ERROR(Append(rest.substr(0, stored_bytes)));
    rest.remove_prefix(stored_bytes);
  }
  return rest.empty() ? Status() : InvalidArgument("more data than the blocks have");
}

Status BlockReceiver::Commit(WriteBlocksResponse& response) {
  if (writer_ == nullptr) return InvalidArgument("the stream does not begin with a header");
  if (next_ != nullptr) next_->HalfClose();
  RETURN_IF_ERROR(writer_->Commit());
  response.add_holder_node_ids(node_.node_id);
  if (next_ != nullptr) {
    ASSIGN_OR_RETURN(std::vector<std::string> holders, next_->Finish());
    for (std::string& holder : holders)
      response.add_holder_node_ids(std::move(holder));
  }
  SLIPSTREAM_FAILPOINT("datanode.write.before_answer");
  return {};
}

}  // namespace slipstream::datanode
