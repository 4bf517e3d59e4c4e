#include "processor/app/job_description.h"

#include <array>
#include <set>

#include <nlohmann/json.hpp>
#include <re2/re2.h>

namespace slipstream::processor {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kTextBytesMax = 128 * 1024;  // of what one record of Kafka takes, 1 MB

std::string Cut(std::string text) {
  if (text.size() <= kTextBytesMax) return text;
  text.resize(kTextBytesMax);
  return text + "\n-- (cut here)\n";
}

// The options that say where a table is; nothing else, which may be secret.
Json TableJson(const sql::TableDefinition& table) {
  Json json = {{"table", table.name}, {"connector", table.connector()}};
  for (const char* option : {"topic", "topic-pattern", "path"}) {
    if (const auto found = table.options.find(option); found != table.options.end()) {
      json[option] = found->second;
    }
  }
  return json;
}

void CollectScans(const sql::PlanNode& node, std::set<std::string>& seen, Json& list) {
  if (node.kind == sql::PlanNode::Kind::kScan && seen.insert(node.table->name).second) {
    list.push_back(TableJson(*node.table));
  }
  for (const sql::PlanNodePtr& input : node.inputs)
    CollectScans(*input, seen, list);
}

}  // namespace

std::string WithoutSecrets(std::string_view text) {
  static const re2::RE2 secret(
      R"re((?i)('[^'\n]*(?:password|secret|token|credential|jaas|user-info)[^'\n]*'\s*=\s*)'(?:[^']|'')*')re");
  std::string shown(text);
  re2::RE2::GlobalReplace(&shown, secret, R"(\1'***')");
  return shown;
}

std::string DescribeJob(const sql::JobPlan& plan, const std::string& name, std::string_view text) {
  Json sources = Json::array();
  Json sinks = Json::array();
  std::string explained;
  std::set<std::string> scanned;
  std::set<std::string> written;
  for (const sql::InsertPlan& insert : plan.inserts) {
    CollectScans(*insert.query, scanned, sources);
    if (written.insert(insert.table->name).second) sinks.push_back(TableJson(*insert.table));
    explained += sql::Explain(insert);
  }
  const Json json = {{"version", 1},
                     {"kind", "job"},
                     {"job", name},
                     {"sources", std::move(sources)},
                     {"sinks", std::move(sinks)},
                     {"plan", Cut(std::move(explained))},
                     {"sql", Cut(WithoutSecrets(text))}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace slipstream::processor
