#include "gateway/api/job_description.h"

#include <nlohmann/json.hpp>

namespace slipstream::gateway::api {
namespace {

using Json = nlohmann::json;

constexpr size_t kTablesMax = 200;

std::string Text(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<JobDescription::Table> Tables(const Json& json, const char* name) {
  std::vector<JobDescription::Table> tables;
  const auto found = json.find(name);
  if (found == json.end() || !found->is_array()) return tables;
  for (const Json& entry : *found) {
    if (!entry.is_object() || tables.size() == kTablesMax) continue;
    JobDescription::Table table{.table = Text(entry, "table"),
                                .connector = Text(entry, "connector")};
    for (const char* kind : {"topic", "topic-pattern", "path"}) {
      if (!entry.contains(kind)) continue;
      table.kind = kind;
      table.place = Text(entry, kind);
      break;
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace

Result<JobDescription> ParseJobDescription(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return DataLoss("a description that is not a JSON object");
  const auto version = json.find("version");
  if (version == json.end() || *version != 1 || Text(json, "kind") != "job") {
    return DataLoss("a description of another version or kind");
  }
  return JobDescription{.job = Text(json, "job"),
                        .sources = Tables(json, "sources"),
                        .sinks = Tables(json, "sinks"),
                        .plan = Text(json, "plan"),
                        .sql = Text(json, "sql")};
}

}  // namespace slipstream::gateway::api
