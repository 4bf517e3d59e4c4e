#include "dfs-master/metrics.h"

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <string>

#include <nlohmann/json.hpp>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "common/sync/mutex.h"

namespace slipstream::dfs::master {
namespace {

const prometheus::Histogram::BucketBoundaries kSecondsBuckets = {
    0.0002, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2};

constexpr size_t kCodes = static_cast<size_t>(Code::kUnauthenticated) + 1;

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
  prometheus::Family<prometheus::Counter>& calls = prometheus::BuildCounter()
                                                       .Name("slipstream_dfs_master_rpcs_total")
                                                       .Help("Calls answered.")
                                                       .Register(registry);
  prometheus::Family<prometheus::Histogram>& call_seconds =
      prometheus::BuildHistogram()
          .Name("slipstream_dfs_master_rpc_seconds")
          .Help("From the request's arrival to its answer.")
          .Register(registry);

  // Looking a metric up by its labels costs more than some of the calls.
  struct CallMetrics {
    prometheus::Histogram* seconds = nullptr;
    // By code; null until the first call that ended so.
    std::array<std::atomic<prometheus::Counter*>, kCodes> by_code{};
  };
  CallMetrics& CallOf(std::string_view method) EXCLUDES(mutex) {
    MutexLock lock(mutex);
    auto it = call_metrics.find(method);
    if (it == call_metrics.end()) {
      it = call_metrics.try_emplace(std::string(method)).first;
      it->second.seconds = &call_seconds.Add({{"method", it->first}}, kSecondsBuckets);
    }
    return it->second;
  }
  prometheus::Counter& CounterOf(CallMetrics& call, std::string_view method, Code code) {
    std::atomic<prometheus::Counter*>& known = call.by_code.at(static_cast<size_t>(code));
    prometheus::Counter* counter = known.load(std::memory_order_acquire);
    if (counter == nullptr) {
      // Added twice it is the same.
      counter =
          &calls.Add({{"method", std::string(method)}, {"code", std::string(CodeName(code))}});
      known.store(counter, std::memory_order_release);
    }
    return *counter;
  }
  Mutex mutex;
  // Nodes stay where they are, and none is taken away.
  std::map<std::string, CallMetrics, std::less<>> call_metrics GUARDED_BY(mutex);

  prometheus::Family<prometheus::Gauge>& nodes = Gauges(registry, "nodes", "Datanodes by state.");
  prometheus::Family<prometheus::Gauge>& blocks =
      Gauges(registry, "blocks", "Blocks by how well they are replicated; all: in files.");
  prometheus::Gauge& files = Gauges(registry, "files", "In the tree.").Add({});
  prometheus::Gauge& directories = Gauges(registry, "directories", "In the tree.").Add({});
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
  Impl::CallMetrics& call = impl_->CallOf(method);
  impl_->CounterOf(call, method, code).Increment();
  call.seconds->Observe(seconds);
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
