#include "dfs-datanode/block_merger.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "proto/dfs_datanode.pb.h"

#include "common/log/log.h"
#include "dfs-datanode/proto_map.h"

namespace slipstream::datanode {
namespace {

using std::chrono::milliseconds;

constexpr char kLogName[] = "datanode.merger";

// With nothing to do; an order wakes whoever waits.
constexpr milliseconds kIdleTime{60'000};

// The master is told for half a minute; after that it has given the order up.
constexpr milliseconds kReportPause{1'000};
constexpr int kReportsMax = 30;

constexpr size_t kPieceBytesMax = 1 << 20;

Status CheckOrder(const MergeOrder& order) {
  if (order.sources.empty() || order.sources.size() > BlockMerger::kSourcesMax) {
    return InvalidArgument(fmt::format("{} sources", order.sources.size()));
  }
  uint64_t raw_bytes = 0;
  for (const MergeOrder::Source& source : order.sources) {
    const block::Identity& identity = source.identity;
    if (identity.raw_bytes > block::kBlockRawBytesMax || source.length_bytes == 0 ||
        source.length_bytes > identity.raw_bytes) {
      return InvalidArgument(
          fmt::format("source {} length={}", ToString(identity), source.length_bytes));
    }
    raw_bytes += identity.raw_bytes;
  }
  if (raw_bytes > block::kBlockRawBytesMax) {
    return InvalidArgument(fmt::format("sources of {} bytes", raw_bytes));
  }
  return {};
}

// Collects a source's frames; at the end they have to add up to it.
class SourceFrames {
 public:
  SourceFrames(const block::Identity& identity, std::string& raw) : identity_(identity), raw_(raw) {
    raw_.clear();
  }

  Status Add(const block::Frame& frame, std::string_view stored) {
    if (frames_.size() == block::kFramesPerBlockMax ||
        raw_.size() + frame.raw_bytes > identity_.raw_bytes) {
      return DataLoss("more than the block has");
    }
    frames_.push_back(frame);
    return DecodeFrame(frame, stored, raw_);
  }

  Status Finish() const {
    if (SumFrames(identity_.block_id, frames_) == identity_) return {};
    return DataLoss(fmt::format("not block {}", ToString(identity_)));
  }

 private:
  const block::Identity& identity_;
  std::string& raw_;
  std::vector<block::Frame> frames_;
};

}  // namespace

void BlockMerger::Enqueue(MergeOrder order) {
  {
    MutexLock lock(mutex_);
    const bool is_known = merging_ == order.block_id ||
                          std::any_of(queue_.begin(), queue_.end(), [&](const MergeOrder& waiting) {
                            return waiting.block_id == order.block_id;
                          });
    if (is_known || queue_.size() == kQueueMax) return;
    queue_.push_back(std::move(order));
  }
  if (listener_) listener_();
}

std::optional<MergeOrder> BlockMerger::TakeOrder() {
  MutexLock lock(mutex_);
  merging_ = 0;
  if (queue_.empty()) return std::nullopt;
  MergeOrder order = std::move(queue_.front());
  queue_.pop_front();
  merging_ = order.block_id;
  return order;
}

milliseconds BlockMerger::Step(const std::stop_token& stop) {
  if (outcome_.has_value()) return ReportOutcome();
  const SteadyTime began = clock_.Now();
  if (began < next_merge_) return std::chrono::ceil<milliseconds>(next_merge_ - began);
  const std::optional<MergeOrder> order = TakeOrder();
  if (!order.has_value()) return kIdleTime;
  outcome_ = Merge(*order, stop);
  uint64_t raw_bytes = 0;
  for (const MergeOrder::Source& source : order->sources)
    raw_bytes += source.length_bytes;
  next_merge_ = began + milliseconds(raw_bytes * 1000 / options_.bytes_per_second);
  return ReportOutcome();
}

milliseconds BlockMerger::ReportOutcome() {
  const Result<bool> is_taken = report_(*outcome_);
  if (is_taken.status().code() == Code::kUnavailable && ++reports_failed_ < kReportsMax) {
    return kReportPause;
  }
  log::Get(kLogName)->info(
      "blocks_merged id={} sources={} raw_bytes={} taken={} error={}",
      outcome_->block.block_id,
      outcome_->source_block_ids.size(),
      outcome_->block.raw_bytes,
      is_taken.ok() && *is_taken,
      log::Quoted(!outcome_->failure.empty() ? outcome_->failure : is_taken.status().message()));
  reports_failed_ = 0;
  outcome_.reset();
  return milliseconds(0);
}

MergeOutcome BlockMerger::Merge(const MergeOrder& order, const std::stop_token& stop) {
  MergeOutcome outcome{.block = {.block_id = order.block_id}};
  for (const MergeOrder::Source& source : order.sources)
    outcome.source_block_ids.push_back(source.identity.block_id);
  const Status status = [&]() -> Status {
    RETURN_IF_ERROR(CheckOrder(order));
    ASSIGN_OR_RETURN(const block::EncodedBlock encoded, Encode(order, stop));
    outcome.block = encoded.IdentityFor(order.block_id);
    ASSIGN_OR_RETURN(outcome.holder_node_ids, Write(order, encoded));
    return {};
  }();
  if (!status.ok()) outcome.failure = status.ToString();
  return outcome;
}

Result<block::EncodedBlock> BlockMerger::Encode(const MergeOrder& order,
                                                const std::stop_token& stop) {
  block::BlockEncoder encoder(compressor_);
  std::string raw;
  for (const MergeOrder::Source& source : order.sources) {
    if (stop.stop_requested()) return Cancelled("the node is going down");
    RETURN_IF_ERROR(Fetch(source, stop, raw)
                        .WithContext(fmt::format("source id={}", source.identity.block_id)));
    RETURN_IF_ERROR(encoder.Append(std::string_view(raw).substr(0, source.length_bytes)));
  }
  return encoder.Finish();
}

Status BlockMerger::Fetch(const MergeOrder::Source& source,
                          const std::stop_token& stop,
                          std::string& raw) {
  Status status = ReadHere(source.identity, raw);
  for (const NodeAddress& holder : source.holders) {
    if (status.ok()) break;
    status = ReadFrom(holder, source.identity, stop, raw).WithContext("node=" + holder.node_id);
  }
  return status;
}

Status BlockMerger::ReadHere(const block::Identity& identity, std::string& raw) {
  ASSIGN_OR_RETURN(const ReplicaReader reader, store_.Read(identity.block_id));
  SourceFrames frames(identity, raw);
  std::string stored;
  for (size_t i = 0; i < reader.meta().frames.size(); ++i) {
    Status status = reader.ReadFrame(i, stored);
    if (status.ok()) status = frames.Add(reader.meta().frames[i], stored);
    if (status.ok()) continue;
    (void)store_.Verify(identity.block_id);
    return status;
  }
  return frames.Finish();
}

Status BlockMerger::ReadFrom(const NodeAddress& holder,
                             const block::Identity& identity,
                             const std::stop_token& stop,
                             std::string& raw) {
  dfs::v1::ReadBlockRequest request;
  *request.mutable_block() = ToProto(identity);
  request.set_token(tokens_.Issue({.right = block::Right::kRead, .first = identity.block_id}));
  const std::shared_ptr<rpc::Peer> peer = peers_.To(holder.address);
  const std::unique_ptr<rpc::ResponseStream> stream =
      peer->OpenResponseStream("/slipstream.dfs.v1.DfsDatanode/ReadBlock",
                               request,
                               {.timeout = options_.fetch_timeout, .stop = stop});
  SourceFrames frames(identity, raw);
  dfs::v1::ReadBlockResponse response;
  while (stream->Receive(response)) {
    RETURN_IF_ERROR(frames.Add(FromProto(response.frame()), response.data()));
  }
  RETURN_IF_ERROR(stream->Finish());
  return frames.Finish();
}

// As any writer does, through this node's own receiver.
Result<std::vector<std::string>> BlockMerger::Write(const MergeOrder& order,
                                                    const block::EncodedBlock& encoded) {
  const std::unique_ptr<BlockReceiver> receiver =
      server_.NewReceiver("merger", clock_.Now() + options_.write_timeout);
  dfs::v1::WriteBlocksRequest request;
  const block::Grant grant{.right = block::Right::kWrite, .first = order.block_id};
  request.mutable_header()->set_is_repair(true);
  request.mutable_header()->mutable_range()->set_first_block_id(grant.first);
  request.mutable_header()->mutable_range()->set_count(grant.count);
  request.mutable_header()->set_token(tokens_.Issue(grant));
  for (const NodeAddress& node : order.next) {
    dfs::v1::NodeAddress* next = request.mutable_header()->add_next();
    next->set_node_id(node.node_id);
    next->set_address(node.address);
  }
  RETURN_IF_ERROR(receiver->Receive(request));
  *request.mutable_block() =
      ToProto({.identity = encoded.IdentityFor(order.block_id), .frames = encoded.frames});
  RETURN_IF_ERROR(receiver->Receive(request));
  for (size_t at = 0; at < encoded.data.size(); at += kPieceBytesMax) {
    request.set_data(encoded.data.substr(at, kPieceBytesMax));
    RETURN_IF_ERROR(receiver->Receive(request));
  }
  dfs::v1::WriteBlocksResponse response;
  RETURN_IF_ERROR(receiver->Finish(response));
  return std::vector<std::string>(response.holder_node_ids().begin(),
                                  response.holder_node_ids().end());
}

}  // namespace slipstream::datanode
