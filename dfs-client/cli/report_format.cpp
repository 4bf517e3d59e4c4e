#include "dfs-client/cli/report_format.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "dfs-client/cli/format.h"

// `dfs report`: the layout of `hdfs dfsadmin -report`, with the lines that mean something here.

namespace slipstream::dfs::cli {
namespace {

constexpr const char* kContactTime = "%a %b %d %H:%M:%S %Z %Y";

struct Space {
  uint64_t capacity = 0;
  uint64_t used = 0;
  uint64_t free = 0;

  // What others on the same disks, or the reserve, take.
  uint64_t other() const { return capacity - std::min(capacity, used + free); }
};

std::string Line(const char* label, uint64_t bytes) {
  return fmt::format("{}: {} ({})\n", label, bytes, HumanSize(bytes, 2, "B"));
}

std::string FormatTotals(const ClusterState& state, const Space& space) {
  const uint64_t present = space.used + space.free;
  std::string out;
  if (state.is_in_safe_mode) {
    out += "Safe mode is ON\n";
    if (!state.safe_mode_reason.empty()) out += state.safe_mode_reason + "\n";
  }
  out += Line("Configured Capacity", space.capacity);
  out += Line("Present Capacity", present);
  out += Line("DFS Remaining", space.free);
  out += Line("DFS Used", space.used);
  out += fmt::format("DFS Used%: {}\n", Percent(space.used, present));
  out += fmt::format(
      "Replicated Blocks:\n"
      "\tUnder replicated blocks: {}\n"
      "\tBlocks with corrupt replicas: {}\n"
      "\tMissing blocks: {}\n"
      "\tPending deletion blocks: {}\n"
      "\tPending repairs: {}\n",
      state.under_replicated_blocks,
      state.corrupt_replicas,
      state.missing_blocks,
      state.pending_deletions,
      state.pending_repairs);
  out += fmt::format(
      "Files:\n"
      "\tFiles: {}\n"
      "\tDirectories: {}\n"
      "\tBlocks: {}\n"
      "\tBytes: {} ({})\n"
      "\tBytes compressed: {} ({})\n",
      state.file_count,
      state.directory_count,
      state.block_count,
      state.raw_bytes,
      HumanSize(state.raw_bytes, 2, "B"),
      state.stored_bytes,
      HumanSize(state.stored_bytes, 2, "B"));
  return out;
}

const char* ServiceText(NodeService service) {
  switch (service) {
    case NodeService::kInService:
      return "Normal";
    case NodeService::kDecommissioning:
      return "Decommission in progress";
    case NodeService::kDecommissioned:
      return "Decommissioned";
    case NodeService::kMaintenance:
      break;
  }
  return "In maintenance";
}

std::string FormatNode(const NodeReport& node) {
  const Space space{
      .capacity = node.capacity_bytes, .used = node.used_bytes, .free = node.free_bytes};
  const std::string& address = node.node.address;
  std::string out = fmt::format("Name: {} ({})\n", address, node.node.node_id);
  out += fmt::format("Hostname: {}\n",
                     node.host.empty() ? address.substr(0, address.rfind(':')) : node.host);
  if (!node.rack.empty()) out += fmt::format("Rack: {}\n", node.rack);
  out += fmt::format("Decommission Status : {}\n", ServiceText(node.service));
  out += Line("Configured Capacity", space.capacity);
  out += Line("DFS Used", space.used);
  out += Line("Non DFS Used", space.other());
  out += Line("DFS Remaining", space.free);
  out += fmt::format("DFS Used%: {}\n", Percent(space.used, space.capacity));
  out += fmt::format("DFS Remaining%: {}\n", Percent(space.free, space.capacity));
  out += fmt::format("Xceivers: {}\n", node.active_writes);
  out += fmt::format("Last contact: {}{}\n",
                     FormatTime(node.last_heartbeat_ms, kContactTime, Zone::kLocal),
                     node.state == NodeState::kStale ? " (stale)" : "");
  out += fmt::format("Last Block Report: {}\n",
                     node.last_report_ms == 0
                         ? "Never"
                         : FormatTime(node.last_report_ms, kContactTime, Zone::kLocal));
  out += fmt::format("Num of Blocks: {}\n", node.replica_count);
  return out;
}

}  // namespace

std::string FormatReport(const ClusterState& state, const ReportSections& sections) {
  Space space;
  for (const NodeReport& node : state.nodes) {
    if (node.state == NodeState::kDead) continue;
    space.capacity += node.capacity_bytes;
    space.used += node.used_bytes;
    space.free += node.free_bytes;
  }
  std::string out = FormatTotals(state, space);
  out += "\n-------------------------------------------------\n";
  const auto add = [&](const char* title, const std::function<bool(const NodeReport&)>& belongs) {
    size_t count = 0;
    std::string nodes;
    for (const NodeReport& node : state.nodes) {
      if (!belongs(node)) continue;
      ++count;
      nodes += FormatNode(node) + "\n\n";
    }
    if (count > 0) out += fmt::format("{} datanodes ({}):\n\n{}", title, count, nodes);
  };
  if (sections.live) {
    add("Live", [](const NodeReport& node) { return node.state != NodeState::kDead; });
  }
  if (sections.dead) {
    add("Dead", [](const NodeReport& node) { return node.state == NodeState::kDead; });
  }
  if (sections.decommissioning) {
    add("Decommissioning",
        [](const NodeReport& node) { return node.service == NodeService::kDecommissioning; });
  }
  if (sections.maintenance) {
    add("In maintenance",
        [](const NodeReport& node) { return node.service == NodeService::kMaintenance; });
  }
  return out;
}

}  // namespace slipstream::dfs::cli
