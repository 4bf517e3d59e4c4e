#include "gateway/api/documents.h"

#include <algorithm>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "dfs-client/node_names.h"

namespace slipstream::gateway::api {
namespace {

using Json = nlohmann::ordered_json;

std::string ToText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json NodeJson(const dfs::NodeReport& node, int64_t now_ms) {
  Json disks = Json::array();
  for (const dfs::DiskReport& disk : node.disks) {
    disks.push_back({{"path", disk.path},
                     {"capacity_bytes", disk.capacity_bytes},
                     {"used_bytes", disk.used_bytes},
                     {"free_bytes", disk.free_bytes},
                     {"failure", disk.failure}});
  }
  return {{"node_id", node.node.node_id},
          {"address", node.node.address},
          {"admin_address", node.admin_address},
          {"host", node.host},
          {"rack", node.rack},
          {"version", node.version},
          {"state", NameOf(node.state)},
          {"service", NameOf(node.service)},
          {"silent_ms", std::max<int64_t>(now_ms - node.last_heartbeat_ms, 0)},
          {"capacity_bytes", node.capacity_bytes},
          {"used_bytes", node.used_bytes},
          {"free_bytes", node.free_bytes},
          {"replicas", node.replica_count},
          {"active_writes", node.active_writes},
          {"blocks_to_move", node.blocks_to_move},
          {"disks", std::move(disks)}};
}

int64_t LagOf(const WorkerState& worker) {
  int64_t lag = 0;
  for (const WorkerState::Task& task : worker.tasks) {
    if (task.end.has_value()) lag += std::max<int64_t>(*task.end - task.position, 0);
  }
  return lag;
}

// Nothing while one of them has not caught up yet.
std::optional<int64_t> StandbyLagOf(const WorkerState& worker) {
  int64_t sum = 0;
  for (const std::optional<int64_t>& lag : worker.standby_lags) {
    if (!lag.has_value()) return std::nullopt;
    sum += *lag;
  }
  return sum;
}

Json WorkerJson(const WorkerState& worker, int64_t now_ms) {
  Json json = {{"worker", worker.slot},
               {"host", worker.host},
               {"admin_address", worker.admin_address},
               {"state", worker.state},
               {"silent_ms", std::max<int64_t>(now_ms - worker.at_ms, 0)},
               {"rows_in", worker.rows_in},
               {"rows_out", worker.rows_out},
               {"rows_late", worker.rows_late},
               {"rows_dead", worker.rows_dead},
               {"rows_in_per_second", worker.rows_in_per_second},
               {"rows_out_per_second", worker.rows_out_per_second},
               {"busy_share", worker.busy_share},
               {"commit_share", worker.commit_share},
               {"commits", worker.commits},
               {"commits_failed", worker.commits_failed},
               {"commit_seconds", worker.commit_seconds},
               {"takeovers", worker.takeovers},
               {"tasks", worker.tasks.size()},
               {"lag_records", LagOf(worker)},
               {"standbys", worker.standby_lags.size()}};
  if (const auto lag = StandbyLagOf(worker)) json["standby_lag_records"] = *lag;
  if (!worker.waiting_for.empty()) json["waiting_for"] = worker.waiting_for;
  return json;
}

Json TablesJson(std::span<const JobDescription::Table> tables) {
  Json list = Json::array();
  for (const JobDescription::Table& table : tables) {
    Json json = {{"table", table.table}, {"connector", table.connector}};
    if (!table.kind.empty()) json[table.kind] = table.place;
    list.push_back(std::move(json));
  }
  return list;
}

using Flow = WorkerState::Flow;

void AddTo(Flow& sum, const Flow& more) {
  sum.rows += more.rows;
  sum.bytes += more.bytes;
}

void AddTo(std::vector<Flow>& sum, const std::vector<Flow>& more) {
  sum.resize(std::max(sum.size(), more.size()));
  for (size_t i = 0; i < more.size(); ++i)
    AddTo(sum[i], more[i]);
}

void AddFlows(WorkerState& sum, const WorkerState& more) {
  for (const auto& [topic, flow] : more.inputs)
    AddTo(sum.inputs[topic], flow);
  for (const auto& [place, flow] : more.outputs)
    AddTo(sum.outputs[place], flow);
  AddTo(sum.exchanges, more.exchanges);
  AddTo(sum.operators, more.operators);
}

Json FlowJson(const Flow& flow) {
  return {{"rows", flow.rows}, {"bytes", flow.bytes}};
}

Json FlowsJson(const std::map<std::string, Flow>& flows) {
  Json json = Json::object();
  for (const auto& [place, flow] : flows)
    json[place] = FlowJson(flow);
  return json;
}

Json FlowsJson(std::span<const Flow> flows) {
  Json json = Json::array();
  for (const Flow& flow : flows)
    json.push_back(FlowJson(flow));
  return json;
}

// What a job's workers have together.
Json JobJson(const std::string& name, std::span<const WorkerState* const> workers, int64_t now_ms) {
  WorkerState sum;
  int64_t lag = 0;
  Json list = Json::array();
  for (const WorkerState* worker : workers) {
    sum.rows_in += worker->rows_in;
    sum.rows_out += worker->rows_out;
    sum.rows_late += worker->rows_late;
    sum.rows_dead += worker->rows_dead;
    sum.rows_in_per_second += worker->rows_in_per_second;
    sum.rows_out_per_second += worker->rows_out_per_second;
    AddFlows(sum, *worker);
    sum.commits += worker->commits;
    sum.commits_failed += worker->commits_failed;
    sum.commit_seconds += worker->commit_seconds;
    lag += LagOf(*worker);
    list.push_back(WorkerJson(*worker, now_ms));
  }
  return {{"job", name},
          {"rows_in", sum.rows_in},
          {"rows_out", sum.rows_out},
          {"rows_late", sum.rows_late},
          {"rows_dead", sum.rows_dead},
          {"rows_in_per_second", sum.rows_in_per_second},
          {"rows_out_per_second", sum.rows_out_per_second},
          {"operators", FlowsJson(sum.operators)},
          {"inputs", FlowsJson(sum.inputs)},
          {"outputs", FlowsJson(sum.outputs)},
          {"exchanges", FlowsJson(sum.exchanges)},
          {"lag_records", lag},
          {"commits", sum.commits},
          {"commits_failed", sum.commits_failed},
          {"commit_seconds", sum.commit_seconds},
          {"workers", std::move(list)}};
}

Json FileJson(const dfs::FileStatus& status) {
  return {{"name", status.name},
          {"kind", status.kind == dfs::FileKind::kFile ? "file" : "directory"},
          {"length_bytes", status.length_bytes},
          {"stored_bytes", status.stored_bytes},
          {"blocks", status.block_count},
          {"replication", status.replication},
          {"children", status.child_count},
          {"owner", status.owner},
          {"group", status.group},
          {"mode", status.mode},
          {"modified_at_ms", status.modified_at_ms},
          {"writer", status.writer}};
}

int HttpCodeOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kFailedPrecondition:
    case Code::kOutOfRange:
      return 400;
    case Code::kPermissionDenied:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kUnimplemented:
      return 405;
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
    case Code::kCancelled:
      return 503;
    default:
      return 500;
  }
}

}  // namespace

std::string ClusterText(const dfs::ClusterState& state, int64_t age_ms) {
  uint64_t capacity = 0;
  uint64_t used = 0;
  uint64_t free = 0;
  std::map<std::string, int> nodes{{"live", 0}, {"stale", 0}, {"dead", 0}};
  for (const dfs::NodeReport& node : state.nodes) {
    ++nodes[NameOf(node.state)];
    if (node.state == dfs::NodeState::kDead) continue;
    capacity += node.capacity_bytes;
    used += node.used_bytes;
    free += node.free_bytes;
  }
  return ToText({{"age_ms", age_ms},
                 {"version", state.version},
                 {"is_in_safe_mode", state.is_in_safe_mode},
                 {"safe_mode_reason", state.safe_mode_reason},
                 {"datanodes", nodes},
                 {"capacity_bytes", capacity},
                 {"used_bytes", used},
                 {"free_bytes", free},
                 {"files", state.file_count},
                 {"directories", state.directory_count},
                 {"blocks", state.block_count},
                 {"raw_bytes", state.raw_bytes},
                 {"stored_bytes", state.stored_bytes},
                 {"under_replicated_blocks", state.under_replicated_blocks},
                 {"missing_blocks", state.missing_blocks},
                 {"corrupt_replicas", state.corrupt_replicas},
                 {"pending_repairs", state.pending_repairs},
                 {"pending_deletions", state.pending_deletions},
                 {"balance",
                  {{"is_running", state.balance.is_running},
                   {"bytes_moved", state.balance.bytes_moved},
                   {"bytes_left", state.balance.bytes_left},
                   {"spread_percent", state.balance.spread_percent}}}});
}

std::string DatanodesText(const dfs::ClusterState& state, int64_t now_ms) {
  Json list = Json::array();
  for (const dfs::NodeReport& node : state.nodes)
    list.push_back(NodeJson(node, now_ms));
  return ToText({{"datanodes", std::move(list)}});
}

std::string JobsText(std::span<const WorkerState> workers,
                     std::span<const JobDescription> descriptions,
                     int64_t now_ms) {
  std::map<std::string, std::vector<const WorkerState*>> jobs;
  for (const WorkerState& worker : workers)
    jobs[worker.job].push_back(&worker);
  Json list = Json::array();
  for (const auto& [name, own] : jobs)
    list.push_back(JobJson(name, own, now_ms));
  for (Json& job : list) {
    const auto own = std::find_if(descriptions.begin(), descriptions.end(), [&](const auto& d) {
      return d.job == job["job"].get_ref<const std::string&>();
    });
    if (own == descriptions.end()) continue;
    job["sources"] = TablesJson(own->sources);
    job["sinks"] = TablesJson(own->sinks);
  }
  return ToText({{"jobs", std::move(list)}});
}

std::string JobText(const JobDescription& description) {
  return ToText({{"job", description.job},
                 {"sources", TablesJson(description.sources)},
                 {"sinks", TablesJson(description.sinks)},
                 {"plan", description.plan},
                 {"sql", description.sql}});
}

std::string TasksText(std::span<const WorkerState> workers) {
  Json list = Json::array();
  for (const WorkerState& worker : workers) {
    for (const WorkerState::Task& task : worker.tasks) {
      Json json = {{"job", worker.job},
                   {"worker", worker.slot},
                   {"topic", task.topic},
                   {"partition", task.partition},
                   {"position", task.position},
                   {"is_idle", task.is_idle},
                   {"is_done", task.is_done},
                   {"busy_share", task.busy_share},
                   {"held_back_share", task.held_back_share}};
      if (task.end.has_value()) {
        json["end"] = *task.end;
        json["lag_records"] = std::max<int64_t>(*task.end - task.position, 0);
      }
      if (task.watermark_ms.has_value()) json["watermark_ms"] = *task.watermark_ms;
      list.push_back(std::move(json));
    }
  }
  return ToText({{"tasks", std::move(list)}});
}

std::string FilesText(const std::string& path,
                      const dfs::FileStatus& status,
                      const dfs::DirectoryPage& page) {
  Json list = Json::array();
  for (const dfs::FileStatus& entry : page.entries)
    list.push_back(FileJson(entry));
  return ToText({{"path", path},
                 {"status", FileJson(status)},
                 {"entries", std::move(list)},
                 {"has_more", page.has_more}});
}

std::string BlocksText(const std::string& path, std::span<const dfs::FileBlocks> pages) {
  Json list = Json::array();
  for (const dfs::FileBlocks& page : pages) {
    uint64_t offset = page.first_block_offset_bytes;
    for (const dfs::LocatedBlock& block : page.blocks) {
      Json holders = Json::array();
      for (const dfs::NodeAddress& node : block.nodes)
        holders.push_back({{"node_id", node.node_id}, {"address", node.address}});
      list.push_back({{"block_id", block.block.block_id},
                      {"offset_bytes", offset},
                      {"length_bytes", block.length_bytes},
                      {"stored_bytes", block.block.stored_bytes},
                      {"holders", std::move(holders)},
                      {"last_known_holders", block.missing_node_ids}});
      offset += block.length_bytes;
    }
  }
  return ToText({{"path", path}, {"blocks", std::move(list)}});
}

std::string TopicsText(std::span<const TopicState> topics, std::span<const WorkerState> workers) {
  Json list = Json::array();
  for (const TopicState& topic : topics) {
    std::map<std::string, int64_t> lags;
    for (const WorkerState& worker : workers) {
      for (const WorkerState::Task& task : worker.tasks) {
        if (task.topic != topic.name || !task.end.has_value()) continue;
        lags[worker.job] += std::max<int64_t>(*task.end - task.position, 0);
      }
    }
    list.push_back({{"topic", topic.name},
                    {"partitions", topic.partitions},
                    {"lag_records_by_job", lags.empty() ? Json::object() : Json(lags)}});
  }
  return ToText({{"topics", std::move(list)}});
}

http::Response JsonResponse(std::string text) {
  return {.content_type = "application/json", .body = std::move(text)};
}

http::Response ErrorResponse(const Status& status) {
  http::Response response = JsonResponse(
      ToText({{"error", {{"code", CodeName(status.code())}, {"message", status.message()}}}}));
  response.code = HttpCodeOf(status.code());
  return response;
}

}  // namespace slipstream::gateway::api
