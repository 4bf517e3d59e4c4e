#include "dfs-datanode/node.h"

#include <algorithm>
#include <utility>

#include <prometheus/gauge.h>

namespace slipstream::datanode {
namespace {

constexpr uint64_t kReserveBytesMax = uint64_t{1} << 30;
constexpr uint64_t kReserveDivisor = 20;

Result<uint64_t> ReserveBytes(const Node::Options& options, const DiskLocation& disk) {
  if (options.reserve_bytes != 0) return options.reserve_bytes;
  ASSIGN_OR_RETURN(DiskSpace space, disk.fs->Space(disk.path));
  return std::min(kReserveBytesMax, space.capacity_bytes / kReserveDivisor);
}

}  // namespace

Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::Open(const Options& options,
                                         rpc::Transport& transport,
                                         const Clock& clock,
                                         Metrics& metrics) {
  if (options.disks.size() != 1) return InvalidArgument("one data directory is needed");
  const DiskLocation& disk = options.disks.front();
  std::unique_ptr<Node> node(new Node);
  node->peers_ = std::make_unique<Peers>(transport);
  ASSIGN_OR_RETURN(node->data_dir_, DataDir::Open(disk.path, *disk.fs));
  ASSIGN_OR_RETURN(const uint64_t reserve_bytes, ReserveBytes(options, disk));
  ASSIGN_OR_RETURN(node->store_,
                   ReplicaStore::Open({.root = disk.path,
                                       .reserve_bytes = reserve_bytes,
                                       .packed_stored_bytes_max = options.packed_stored_bytes_max,
                                       .pack_bytes_max = options.pack_bytes_max,
                                       .park_time = options.park_time},
                                      *disk.fs,
                                      clock));
  ReplicaStore& store = *node->store_;
  node->scrubber_ = std::make_unique<Scrubber>(options.scrubber, store, *node->data_dir_, clock);
  node->copier_ = std::make_unique<ReplicaCopier>(store, *node->peers_);
  node->reclaimer_ = std::make_unique<SpaceReclaimer>(store);
  node->server_ = std::make_unique<ReplicaServer>(
      BlockReceiver::Node{.node_id = node->node_id(),
                          .has_master = [raw = node.get()] { return raw->session_->has_master(); },
                          .store = store,
                          .peers = *node->peers_,
                          .metrics = metrics,
                          .clock = clock});
  node->merger_ =
      std::make_unique<BlockMerger>(options.merger, store, *node->server_, *node->peers_, clock);
  MasterSession::Options session = options.session;
  session.active_writes = [&metrics] {
    return static_cast<uint32_t>(metrics.active_writes.Value());
  };
  node->session_ = std::make_unique<MasterSession>(std::move(session),
                                                   transport,
                                                   *node->data_dir_,
                                                   store,
                                                   *node->scrubber_,
                                                   *node->copier_,
                                                   *node->merger_,
                                                   clock);
  node->merger_->SetReport([session_of_node = node->session_.get()](const MergeOutcome& outcome) {
    return session_of_node->FinishMerge(outcome);
  });
  return node;
}

void Node::SetWakers(Wakers wakers) {
  store_->SetChangeListener(std::move(wakers.session));
  scrubber_->SetSuspectListener(std::move(wakers.scrubber));
  copier_->SetOrderListener(std::move(wakers.copier));
  merger_->SetOrderListener(std::move(wakers.merger));
}

void Node::SaveState() {
  session_->SaveLogPosition();
  scrubber_->SaveCursor();
}

}  // namespace slipstream::datanode
