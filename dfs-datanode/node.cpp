#include "dfs-datanode/node.h"

#include <utility>

#include <prometheus/gauge.h>

namespace slipstream::datanode {
Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::Open(const Options& options,
                                         rpc::Transport& transport,
                                         const Clock& clock,
                                         Metrics& metrics) {
  std::unique_ptr<Node> node(new Node);
  node->peers_ = std::make_unique<Peers>(transport);
  node->tokens_ = std::make_unique<BlockTokenChecker>(clock);
  ASSIGN_OR_RETURN(
      node->store_,
      ReplicaStore::Open({.disks = {.disks = options.disks,
                                    .disks_min = options.disks_min,
                                    .seed = options.seed,
                                    .disk = {.reserve_bytes = options.reserve_bytes,
                                             .pack_bytes_max = options.pack_bytes_max}},
                          .packed_stored_bytes_max = options.packed_stored_bytes_max,
                          .park_time = options.park_time},
                         clock));
  ReplicaStore& store = *node->store_;
  node->scrubber_ = std::make_unique<Scrubber>(options.scrubber, store, store.disks(), clock);
  store.SetAddedListener(
      [scrubber = node->scrubber_.get()](block::BlockId id) { scrubber->Added(id); });
  node->copier_ = std::make_unique<ReplicaCopier>(store, *node->peers_, *node->tokens_, clock);
  node->reclaimer_ = std::make_unique<SpaceReclaimer>(store);
  node->server_ = std::make_unique<ReplicaServer>(
      BlockReceiver::Node{.node_id = node->node_id(),
                          .has_master = [raw = node.get()] { return raw->session_->has_master(); },
                          .store = store,
                          .peers = *node->peers_,
                          .metrics = metrics,
                          .clock = clock,
                          .tokens = options.wants_tokens ? node->tokens_.get() : nullptr});
  node->merger_ = std::make_unique<BlockMerger>(
      options.merger, store, *node->server_, *node->peers_, *node->tokens_, clock);
  MasterSession::Options session = options.session;
  session.active_writes = [&metrics] {
    return static_cast<uint32_t>(metrics.active_writes.Value());
  };
  node->session_ = std::make_unique<MasterSession>(std::move(session),
                                                   transport,
                                                   store.disks(),
                                                   store,
                                                   *node->scrubber_,
                                                   *node->copier_,
                                                   *node->merger_,
                                                   *node->tokens_,
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
