#include "dfs-datanode/replica_copier.h"

#include <utility>

#include <fmt/format.h>

#include "proto/dfs_datanode.pb.h"

#include "common/log/log.h"
#include "dfs-datanode/block_sender.h"
#include "dfs-datanode/proto_map.h"

namespace slipstream::datanode {
namespace {

// A frame is longer than a piece may be only if it does not compress.
constexpr size_t kPieceBytesMax = 1 << 20;

// With nothing to do; an order wakes whoever waits.
constexpr std::chrono::milliseconds kIdleTime{60'000};

}  // namespace

void ReplicaCopier::Enqueue(const block::Identity& identity, const NodeAddress& target) {
  {
    MutexLock lock(mutex_);
    if (queue_.size() == kQueueMax || !queued_.insert(identity.block_id).second) return;
    queue_.push_back({.identity = identity, .target = target, .at = clock_.Now()});
  }
  if (listener_) listener_();
}

std::optional<ReplicaCopier::Order> ReplicaCopier::TakeOrder() {
  MutexLock lock(mutex_);
  const SteadyTime now = clock_.Now();
  while (!queue_.empty()) {
    Order order = std::move(queue_.front());
    queue_.pop_front();
    if (now - order.at <= kOrderLife) return order;
    queued_.erase(order.identity.block_id);
  }
  return std::nullopt;
}

std::chrono::milliseconds ReplicaCopier::Step(const std::stop_token& stop) {
  const std::optional<Order> order = TakeOrder();
  if (!order.has_value()) return kIdleTime;
  const auto logger = log::Get("datanode.copier");
  const Status status = Copy(order->identity, order->target, stop);
  if (status.ok()) {
    logger->info("replica_copied id={} target={}", order->identity.block_id, order->target.node_id);
  } else {
    logger->warn("replica_not_copied id={} target={} error={}",
                 order->identity.block_id,
                 log::Quoted(order->target.node_id),
                 log::Quoted(status.ToString()));
  }
  MutexLock lock(mutex_);
  queued_.erase(order->identity.block_id);
  return queue_.empty() ? kIdleTime : std::chrono::milliseconds(0);
}

Status ReplicaCopier::Copy(const block::Identity& identity,
                           const NodeAddress& target,
                           const std::stop_token& stop) {
  ASSIGN_OR_RETURN(const ReplicaReader reader, store_.Read(identity.block_id));
  if (reader.meta().identity != identity) {
    return DataLoss(
        fmt::format("block {} is {} here", ToString(identity), ToString(reader.meta().identity)));
  }
  const block::Grant grant{.right = block::Right::kWrite, .first = identity.block_id};
  BlockSender sender(peers_,
                     {.chain = {target},
                      .is_repair = true,
                      .grant = grant,
                      .token = tokens_.Issue(grant),
                      .stop = stop});
  dfs::v1::WriteBlocksRequest request;
  *request.mutable_block() = ToProto(reader.meta());
  bool is_open = sender.Send(request);
  std::string stored;
  for (size_t i = 0; is_open && i < reader.meta().frames.size(); ++i) {
    if (stop.stop_requested()) return Cancelled("the node is going down");
    if (Status status = reader.ReadFrame(i, stored); !status.ok()) {
      (void)store_.Verify(identity.block_id);
      return status;
    }
    for (size_t at = 0; is_open && at < stored.size(); at += kPieceBytesMax) {
      request.set_data(stored.substr(at, kPieceBytesMax));
      is_open = sender.Send(request);
    }
  }
  return sender.Finish().status();
}

}  // namespace slipstream::datanode
