#include "dfs-client/cli/json_format.h"

#include <nlohmann/json.hpp>

#include "dfs-client/node_names.h"

namespace slipstream::dfs::cli {
namespace {

using Json = nlohmann::ordered_json;

// A name that is not UTF-8 does not stop a listing: the master refuses such names, but what is
// printed here came from outside.
std::string Dump(const Json& document) {
  constexpr int kIndent = 2;
  return document.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json DocumentOf(const Quota& quota) {
  return {{"names_max", quota.names_max},
          {"space_max_bytes", quota.space_max_bytes},
          {"names", quota.names},
          {"space_bytes", quota.space_bytes}};
}

Json DocumentOf(const FileStatus& status, const std::string& path) {
  Json out{{"path", path},
           {"name", status.name},
           {"kind", status.kind == FileKind::kDirectory ? "directory" : "file"},
           {"inode_id", status.inode_id},
           {"length_bytes", status.length_bytes},
           {"stored_bytes", status.stored_bytes},
           {"block_count", status.block_count},
           {"replication", status.replication},
           {"modified_at_ms", status.modified_at_ms},
           {"accessed_at_ms", status.accessed_at_ms},
           {"owner", status.owner},
           {"group", status.group},
           {"mode", status.mode},
           {"writer", status.writer},
           {"child_count", status.child_count}};
  if (status.quota.has_value()) out["quota"] = DocumentOf(*status.quota);
  return out;
}

Json DocumentOf(const BalanceStatus& status) {
  return {{"is_running", status.is_running},
          {"threshold_percent", status.threshold_percent},
          {"bytes_moved", status.bytes_moved},
          {"bytes_left", status.bytes_left},
          {"blocks_moved", status.blocks_moved},
          {"spread_percent", status.spread_percent}};
}

Json DocumentOf(const NodeReport& node) {
  Json disks = Json::array();
  for (const DiskReport& disk : node.disks) {
    disks.push_back({{"path", disk.path},
                     {"capacity_bytes", disk.capacity_bytes},
                     {"used_bytes", disk.used_bytes},
                     {"free_bytes", disk.free_bytes},
                     {"failure", disk.failure}});
  }
  return {{"node_id", node.node.node_id},
          {"address", node.node.address},
          {"host", node.host},
          {"rack", node.rack},
          {"state", NameOf(node.state)},
          {"service", NameOf(node.service)},
          {"maintenance_until_ms", node.maintenance_until_ms},
          {"blocks_to_move", node.blocks_to_move},
          {"capacity_bytes", node.capacity_bytes},
          {"used_bytes", node.used_bytes},
          {"free_bytes", node.free_bytes},
          {"replica_count", node.replica_count},
          {"active_writes", node.active_writes},
          {"last_heartbeat_ms", node.last_heartbeat_ms},
          {"last_report_ms", node.last_report_ms},
          {"failure_domain", node.failure_domain},
          {"admin_address", node.admin_address},
          {"version", node.version},
          {"disks", std::move(disks)}};
}

Json DocumentOf(const EpochPair& pair) {
  return {{"epoch", pair.epoch}, {"incarnation", pair.incarnation}};
}

}  // namespace

std::string JsonListing(const std::vector<Item>& items) {
  Json out = Json::array();
  for (const Item& item : items)
    out.push_back(DocumentOf(item.status, item.path));
  return Dump(out);
}

std::string JsonReport(const ClusterState& state) {
  Json nodes = Json::array();
  for (const NodeReport& node : state.nodes)
    nodes.push_back(DocumentOf(node));
  return Dump({{"is_in_safe_mode", state.is_in_safe_mode},
               {"is_safe_mode_by_hand", state.is_safe_mode_by_hand},
               {"safe_mode_reason", state.safe_mode_reason},
               {"file_count", state.file_count},
               {"directory_count", state.directory_count},
               {"block_count", state.block_count},
               {"located_blocks", state.located_blocks},
               {"raw_bytes", state.raw_bytes},
               {"stored_bytes", state.stored_bytes},
               {"under_replicated_blocks", state.under_replicated_blocks},
               {"missing_blocks", state.missing_blocks},
               {"corrupt_replicas", state.corrupt_replicas},
               {"pending_repairs", state.pending_repairs},
               {"pending_deletions", state.pending_deletions},
               {"default_replication", state.default_replication},
               {"version", state.version},
               {"balance", DocumentOf(state.balance)},
               {"nodes", std::move(nodes)}});
}

std::string JsonTotals(const std::vector<ContentTotals>& totals) {
  Json out = Json::array();
  for (const ContentTotals& total : totals) {
    Json entry{{"path", total.shown},
               {"directories", total.directories},
               {"files", total.files},
               {"length_bytes", total.length_bytes},
               {"stored_bytes", total.stored_bytes}};
    if (total.quota.has_value()) entry["quota"] = DocumentOf(*total.quota);
    out.push_back(std::move(entry));
  }
  return Dump(out);
}

std::string JsonSpace(const std::string& filesystem, const NodeReport& all) {
  return Dump({{"filesystem", filesystem},
               {"capacity_bytes", all.capacity_bytes},
               {"used_bytes", all.used_bytes},
               {"free_bytes", all.free_bytes}});
}

std::string JsonAppenders(const std::vector<AppenderReport>& appenders) {
  Json out = Json::array();
  for (const AppenderReport& appender : appenders) {
    Json prepared = Json::array();
    for (const EpochPair& pair : appender.prepared)
      prepared.push_back(DocumentOf(pair));
    out.push_back({{"owner", appender.owner},
                   {"incarnation", appender.incarnation},
                   {"committed", DocumentOf(appender.committed)},
                   {"prepared", std::move(prepared)},
                   {"prepared_since_ms", appender.prepared_since_ms},
                   {"open_files", appender.open_files},
                   {"lease_ms", appender.lease.count()},
                   {"claimed", DocumentOf(appender.claimed)}});
  }
  return Dump(out);
}

std::string JsonBalance(const BalanceStatus& status) {
  return Dump(DocumentOf(status));
}

}  // namespace slipstream::dfs::cli
