#include "dfs-datanode/replica_copier.h"

#include <utility>

#include <fmt/format.h>

#include "proto/dfs_datanode.pb.h"

#include "common/log/log.h"
#include "dfs-datanode/proto_map.h"

namespace slipstream::datanode {
namespace {

constexpr int kThreads = 2;

// A frame is longer than a piece may be only if it does not compress.
constexpr size_t kPieceBytesMax = 1 << 20;

}  // namespace

ReplicaCopier::~ReplicaCopier() {
  Stop();
}

void ReplicaCopier::Start() {
  for (int i = 0; i < kThreads; ++i)
    threads_.emplace_back([this] { Run(); });
}

void ReplicaCopier::Stop() {
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
  }
  changed_.NotifyAll();
  threads_.clear();
}

void ReplicaCopier::Enqueue(const block::Identity& identity, const Peer& target) {
  {
    MutexLock lock(mutex_);
    if (queue_.size() == kQueueMax || !queued_.insert(identity.block_id).second) return;
    queue_.push_back({.identity = identity, .target = target});
  }
  changed_.NotifyOne();
}

bool ReplicaCopier::IsStopping() {
  MutexLock lock(mutex_);
  return is_stopping_;
}

void ReplicaCopier::Run() {
  const auto logger = log::Get("datanode.copier");
  while (true) {
    Order order;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !is_stopping_)
        changed_.Wait(mutex_);
      if (is_stopping_) return;
      order = std::move(queue_.front());
      queue_.pop_front();
    }
    const Status status = Copy(order.identity, order.target);
    if (status.ok()) {
      logger->info("replica_copied id={} target={}", order.identity.block_id, order.target.node_id);
    } else {
      logger->warn("replica_not_copied id={} target={} error={}",
                   order.identity.block_id,
                   log::Quoted(order.target.node_id),
                   log::Quoted(status.ToString()));
    }
    MutexLock lock(mutex_);
    queued_.erase(order.identity.block_id);
  }
}

Status ReplicaCopier::Copy(const block::Identity& identity, const Peer& target) {
  ASSIGN_OR_RETURN(const ReplicaReader reader, store_.Read(identity.block_id));
  if (reader.meta().identity != identity) {
    return DataLoss(
        fmt::format("block {} is {} here", ToString(identity), ToString(reader.meta().identity)));
  }
  BlockSender sender(peers_, {.chain = {target}, .is_repair = true});
  dfs::v1::WriteBlocksRequest request;
  *request.mutable_block() = ToProto(reader.meta());
  bool is_open = sender.Send(request);
  std::string stored;
  for (size_t i = 0; is_open && i < reader.meta().frames.size(); ++i) {
    if (IsStopping()) return Cancelled("the node is going down");
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
