#include "dfs-client/cli/json_format.h"

#include <nlohmann/json.hpp>

namespace slipstream::dfs::cli {
namespace {

using Json = nlohmann::ordered_json;

// A name that is not UTF-8 does not stop a listing: the master refuses such names, but what is
// printed here came from outside.
std::string Dump(const Json& document) {
  constexpr int kIndent = 2;
  return document.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

const char* NameOf(NodeState state) {
  switch (state) {
    case NodeState::kLive:
      return "live";
    case NodeState::kStale:
      return "stale";
    case NodeState::kDead:
      break;
  }
  return "dead";
}

}  // namespace

std::string JsonListing(const std::vector<Item>& items) {
  Json out = Json::array();
  for (const Item& item : items) {
    const FileStatus& status = item.status;
    out.push_back({{"path", item.path},
                   {"name", status.name},
                   {"kind", status.kind == FileKind::kDirectory ? "directory" : "file"},
                   {"inode_id", status.inode_id},
                   {"length_bytes", status.length_bytes},
                   {"stored_bytes", status.stored_bytes},
                   {"block_count", status.block_count},
                   {"replication", status.replication},
                   {"modified_at_ms", status.modified_at_ms},
                   {"owner", status.owner},
                   {"group", status.group},
                   {"mode", status.mode},
                   {"writer", status.writer},
                   {"child_count", status.child_count}});
  }
  return Dump(out);
}

std::string JsonReport(const ClusterState& state) {
  Json nodes = Json::array();
  for (const NodeReport& node : state.nodes) {
    nodes.push_back({{"node_id", node.node.node_id},
                     {"address", node.node.address},
                     {"state", NameOf(node.state)},
                     {"capacity_bytes", node.capacity_bytes},
                     {"used_bytes", node.used_bytes},
                     {"free_bytes", node.free_bytes},
                     {"replica_count", node.replica_count},
                     {"active_writes", node.active_writes},
                     {"last_heartbeat_ms", node.last_heartbeat_ms},
                     {"failure_domain", node.failure_domain},
                     {"admin_address", node.admin_address}});
  }
  return Dump({{"is_in_safe_mode", state.is_in_safe_mode},
               {"safe_mode_reason", state.safe_mode_reason},
               {"file_count", state.file_count},
               {"directory_count", state.directory_count},
               {"block_count", state.block_count},
               {"raw_bytes", state.raw_bytes},
               {"stored_bytes", state.stored_bytes},
               {"under_replicated_blocks", state.under_replicated_blocks},
               {"missing_blocks", state.missing_blocks},
               {"corrupt_replicas", state.corrupt_replicas},
               {"pending_repairs", state.pending_repairs},
               {"default_replication", state.default_replication},
               {"version", state.version},
               {"nodes", std::move(nodes)}});
}

std::string JsonUsage(const std::vector<Usage>& usages) {
  Json out = Json::array();
  for (const Usage& usage : usages) {
    out.push_back({{"path", usage.shown},
                   {"length_bytes", usage.length_bytes},
                   {"stored_bytes", usage.stored_bytes}});
  }
  return Dump(out);
}

}  // namespace slipstream::dfs::cli
