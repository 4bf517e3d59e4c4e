#include "dfs-master/metrics.h"

#include <string>

#include <nlohmann/json.hpp>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "common/metrics/call_metrics.h"

namespace slipstream::dfs::master {
namespace {

const char* StateName(NodeState state) {
  switch (state) {
    case NodeState::kLive:
      return "live";
    case NodeState::kStale:
      return "stale";
    case NodeState::kDead:
      return "dead";
  }
  return "";
}

prometheus::Family<prometheus::Gauge>& Gauges(prometheus::Registry& registry,
                                              const char* name,
                                              const char* help) {
  return prometheus::BuildGauge()
      .Name(std::string("slipstream_dfs_master_") + name)
      .Help(help)
      .Register(registry);
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  metrics::CallMetrics calls{registry,
                             {.prefix = "slipstream_dfs_master_rpc",
                              .label = "method",
                              .help = "From the request's arrival to its answer."}};

  prometheus::Family<prometheus::Gauge>& nodes = Gauges(registry, "nodes", "Datanodes by state.");
  prometheus::Family<prometheus::Gauge>& blocks =
      Gauges(registry, "blocks", "Blocks by how well they are replicated; all: in files.");
  // As with all totals, what lies below a deleted directory counts until it is taken apart.
  prometheus::Gauge& files =
      Gauges(registry, "files", "In the tree, and below deleted directories until reaped.").Add({});
  prometheus::Gauge& directories =
      Gauges(registry, "directories", "In the tree, and below deleted ones until reaped.").Add({});
  prometheus::Gauge& raw_bytes =
      Gauges(registry, "raw_bytes", "Of all files, before compression.").Add({});
  prometheus::Gauge& stored_bytes =
      Gauges(registry, "stored_bytes", "Of all files, compressed, of one replica.").Add({});
  prometheus::Gauge& repairs = Gauges(registry, "repairs_in_flight", "Copies ordered.").Add({});
  prometheus::Gauge& bad_replicas =
      Gauges(registry, "bad_replicas", "Found bad, not deleted yet.").Add({});
  prometheus::Gauge& safe_mode = Gauges(registry, "safe_mode", "1 while in safe mode.").Add({});
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::CountCall(std::string_view method, Code code, double seconds) {
  impl_->calls.Count(method, CodeName(code), seconds);
}

void Metrics::SetClusterState(const ClusterState& state) {
  for (NodeState node_state : {NodeState::kLive, NodeState::kStale, NodeState::kDead}) {
    double count = 0;
    for (const NodeReport& report : state.nodes)
      count += report.node.state == node_state ? 1 : 0;
    impl_->nodes.Add({{"state", StateName(node_state)}}).Set(count);
  }
  auto set = [](prometheus::Gauge& gauge, uint64_t value) {
    gauge.Set(static_cast<double>(value));
  };
  set(impl_->blocks.Add({{"state", "all"}}), state.totals.blocks);
  set(impl_->blocks.Add({{"state", "under_replicated"}}), state.blocks.under_replicated);
  set(impl_->blocks.Add({{"state", "missing"}}), state.blocks.missing);
  set(impl_->files, state.totals.files);
  set(impl_->directories, state.totals.directories);
  set(impl_->raw_bytes, state.totals.raw_bytes);
  set(impl_->stored_bytes, state.totals.stored_bytes);
  set(impl_->repairs, state.pending_repairs);
  set(impl_->bad_replicas, state.blocks.bad_replicas);
  set(impl_->safe_mode, state.safe_mode_reason.empty() ? 0 : 1);
}

const prometheus::Collectable& Metrics::registry() const {
  return impl_->registry;
}

std::string ToJson(const ClusterState& state) {
  nlohmann::json nodes = nlohmann::json::array();
  for (const NodeReport& report : state.nodes) {
    const Node& node = report.node;
    nodes.push_back({{"node_id", node.registration.node_id},
                     {"address", node.registration.address},
                     {"admin_address", node.registration.admin_address},
                     {"failure_domain", node.failure_domain()},
                     {"state", StateName(node.state)},
                     {"capacity_bytes", node.load.capacity_bytes},
                     {"used_bytes", node.load.used_bytes},
                     {"free_bytes", node.load.free_bytes},
                     {"active_writes", node.load.active_writes},
                     {"replicas", report.replica_count},
                     {"last_heartbeat_ms", node.seen_at_ms}});
  }
  nlohmann::json status = {{"safe_mode", !state.safe_mode_reason.empty()},
                           {"safe_mode_reason", state.safe_mode_reason},
                           {"nodes", std::move(nodes)},
                           {"files", state.totals.files},
                           {"directories", state.totals.directories},
                           {"blocks", state.totals.blocks},
                           {"raw_bytes", state.totals.raw_bytes},
                           {"stored_bytes", state.totals.stored_bytes},
                           {"under_replicated_blocks", state.blocks.under_replicated},
                           {"missing_blocks", state.blocks.missing},
                           {"bad_replicas", state.blocks.bad_replicas},
                           {"repairs_in_flight", state.pending_repairs},
                           {"replication", state.replication}};
  // What came from outside is checked to be UTF-8; should it not be, this must not throw.
  return status.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace slipstream::dfs::master
