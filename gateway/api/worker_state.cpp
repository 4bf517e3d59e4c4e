#include "gateway/api/worker_state.h"

#include <type_traits>

#include <nlohmann/json.hpp>

namespace slipstream::gateway::api {
namespace {

using Json = nlohmann::json;

constexpr size_t kTasksMax = 10'000;
constexpr size_t kOperatorsMax = 1'000;
constexpr size_t kPlacesMax = 1'000;

// Of another type, it is as good as absent.
std::string Text(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

template <class Number>
std::optional<Number> MaybeNumber(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) return std::nullopt;
  const bool is_one = std::is_floating_point_v<Number> ? found->is_number()
                      : std::is_unsigned_v<Number>     ? found->is_number_unsigned()
                                                       : found->is_number_integer();
  if (!is_one) return std::nullopt;
  return found->get<Number>();
}

template <class Number>
Number NumberOr0(const Json& json, const char* name) {
  return MaybeNumber<Number>(json, name).value_or(Number{});
}

bool Flag(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_boolean() && found->get<bool>();
}

WorkerState::Flow FlowFrom(const Json& json) {
  return {.rows = NumberOr0<uint64_t>(json, "rows"), .bytes = NumberOr0<uint64_t>(json, "bytes")};
}

std::map<std::string, WorkerState::Flow> FlowsByPlace(const Json& json, const char* name) {
  std::map<std::string, WorkerState::Flow> flows;
  const auto found = json.find(name);
  if (found == json.end() || !found->is_object()) return flows;
  for (const auto& [place, flow] : found->items()) {
    if (flow.is_object() && flows.size() < kPlacesMax) flows.emplace(place, FlowFrom(flow));
  }
  return flows;
}

std::vector<WorkerState::Flow> FlowsByNumber(const Json& json, const char* name) {
  std::vector<WorkerState::Flow> flows;
  const auto found = json.find(name);
  if (found == json.end() || !found->is_array()) return flows;
  for (const Json& flow : *found) {
    if (!flow.is_object() || flows.size() == kOperatorsMax) return {};
    flows.push_back(FlowFrom(flow));
  }
  return flows;
}

WorkerState::Task TaskFrom(const Json& json) {
  return {.topic = Text(json, "topic"),
          .partition = NumberOr0<int32_t>(json, "partition"),
          .position = NumberOr0<int64_t>(json, "position"),
          .end = MaybeNumber<int64_t>(json, "end"),
          .watermark_ms = MaybeNumber<int64_t>(json, "watermark_ms"),
          .is_idle = Flag(json, "idle"),
          .is_done = Flag(json, "done"),
          .busy_share = NumberOr0<double>(json, "busy_share"),
          .held_back_share = NumberOr0<double>(json, "held_back_share")};
}

}  // namespace

Result<WorkerState> ParseWorkerState(std::string_view slot, std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return DataLoss("a status that is not a JSON object");
  if (MaybeNumber<int64_t>(json, "version") != 1) return DataLoss("a status of another version");
  WorkerState worker{.slot = std::string(slot),
                     .job = Text(json, "job"),
                     .host = Text(json, "host"),
                     .admin_address = Text(json, "admin"),
                     .state = Text(json, "state"),
                     .waiting_for = Text(json, "waiting_for"),
                     .at_ms = NumberOr0<int64_t>(json, "at_ms"),
                     .rows_in = NumberOr0<uint64_t>(json, "rows_in"),
                     .rows_out = NumberOr0<uint64_t>(json, "rows_out"),
                     .rows_late = NumberOr0<uint64_t>(json, "rows_late"),
                     .rows_dead = NumberOr0<uint64_t>(json, "rows_dead"),
                     .rows_in_per_second = NumberOr0<double>(json, "rows_in_per_second"),
                     .rows_out_per_second = NumberOr0<double>(json, "rows_out_per_second"),
                     .busy_share = NumberOr0<double>(json, "busy_share"),
                     .commit_share = NumberOr0<double>(json, "commit_share"),
                     .inputs = FlowsByPlace(json, "inputs"),
                     .outputs = FlowsByPlace(json, "outputs"),
                     .exchanges = FlowsByNumber(json, "exchanges"),
                     .operators = FlowsByNumber(json, "operators"),
                     .commits = NumberOr0<uint64_t>(json, "commits"),
                     .commits_failed = NumberOr0<uint64_t>(json, "commits_failed"),
                     .commit_seconds = NumberOr0<double>(json, "commit_seconds"),
                     .takeovers = NumberOr0<uint64_t>(json, "takeovers")};
  const auto standbys = json.find("standbys");
  if (standbys != json.end() && standbys->is_array()) {
    for (const Json& standby : *standbys) {
      if (standby.is_object() && worker.standby_lags.size() < kTasksMax)
        worker.standby_lags.push_back(MaybeNumber<int64_t>(standby, "lag"));
    }
  }
  const auto tasks = json.find("tasks");
  if (tasks == json.end() || !tasks->is_array()) return worker;
  for (const Json& task : *tasks) {
    if (task.is_object() && worker.tasks.size() < kTasksMax) worker.tasks.push_back(TaskFrom(task));
  }
  return worker;
}

}  // namespace slipstream::gateway::api
