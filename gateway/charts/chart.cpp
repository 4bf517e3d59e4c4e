#include "gateway/charts/chart.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include <nlohmann/json.hpp>

namespace slipstream::gateway::charts {
namespace {

using Json = nlohmann::json;

constexpr size_t kTextBytesMax = 1'000;

constexpr std::array<std::pair<const char*, Chart::Type>, 3> kTypes = {{
    {"lines", Chart::Type::kLines},
    {"bars", Chart::Type::kBars},
    {"gauges", Chart::Type::kGauges},
}};
constexpr std::array<std::pair<const char*, ChartQuery::Aggregate>, 6> kAggregates = {{
    {"sum", ChartQuery::Aggregate::kSum},
    {"average", ChartQuery::Aggregate::kAverage},
    {"min", ChartQuery::Aggregate::kMin},
    {"max", ChartQuery::Aggregate::kMax},
    {"last", ChartQuery::Aggregate::kLast},
    {"count", ChartQuery::Aggregate::kCount},
}};

// A misspelt name would otherwise go unnoticed.
Status CheckNames(const Json& json, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : json.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return InvalidArgument("\"" + name + "\" is none of what is known here");
    }
  }
  return {};
}

// "" where it is absent.
Result<std::string> Text(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) return std::string();
  if (!found->is_string()) return InvalidArgument(std::string("\"") + name + "\" must be a text");
  std::string text = found->get<std::string>();
  if (text.size() > kTextBytesMax) {
    return InvalidArgument(std::string("\"") + name + "\" is longer than 1,000 bytes");
  }
  return text;
}

Result<std::optional<double>> Number(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) return std::optional<double>();
  if (!found->is_number()) return InvalidArgument(std::string("\"") + name + "\" must be a number");
  return std::optional(found->get<double>());
}

template <class Values>
Result<typename Values::value_type::second_type> OneOf(const Values& values,
                                                       const char* name,
                                                       const std::string& text) {
  std::string names;
  for (const auto& [own, value] : values) {
    if (own == text) return value;
    names += std::string(names.empty() ? "" : ", ") + own;
  }
  return InvalidArgument(std::string("\"") + name + "\" must be one of: " + names);
}

Status ReadSource(const Json& json, ChartQuery& query) {
  const auto source = json.find("source");
  if (source == json.end() || !source->is_object() || source->size() != 1) {
    return InvalidArgument(R"("source" must be {"topic": …} or {"files": …})");
  }
  RETURN_IF_ERROR(CheckNames(*source, {"topic", "files"}));
  query.source =
      source->contains("topic") ? ChartQuery::Source::kTopic : ChartQuery::Source::kFiles;
  ASSIGN_OR_RETURN(query.place, Text(*source, source->begin().key().c_str()));
  if (query.place.empty()) return InvalidArgument("\"source\" names nothing");
  if (query.source == ChartQuery::Source::kFiles && query.place.front() != '/') {
    return InvalidArgument("\"files\" must be an absolute path");
  }
  return {};
}

Status ReadGroup(const Json& json, ChartQuery& query) {
  const auto group = json.find("group");
  if (group == json.end()) return {};
  if (*group == Json{{"hour_of", "time"}}) {
    query.is_hour_of_day = true;
    return {};
  }
  if (!group->is_string()) {
    return InvalidArgument(R"("group" must be a field or {"hour_of": "time"})");
  }
  ASSIGN_OR_RETURN(query.group, Text(json, "group"));
  return {};
}

Result<ChartQuery> ReadQuery(const Json& json) {
  ChartQuery query;
  RETURN_IF_ERROR(ReadSource(json, query));
  RETURN_IF_ERROR(ReadGroup(json, query));
  ASSIGN_OR_RETURN(query.time, Text(json, "time"));
  ASSIGN_OR_RETURN(query.value, Text(json, "value"));
  ASSIGN_OR_RETURN(query.weight, Text(json, "weight"));
  ASSIGN_OR_RETURN(const std::string aggregate, Text(json, "aggregate"));
  if (!aggregate.empty()) {
    ASSIGN_OR_RETURN(query.aggregate, OneOf(kAggregates, "aggregate", aggregate));
  }
  if (query.value.empty() && query.aggregate != ChartQuery::Aggregate::kCount) {
    return InvalidArgument("\"value\" is missing: the field that is shown");
  }
  if (!query.weight.empty() && query.aggregate != ChartQuery::Aggregate::kAverage) {
    return InvalidArgument("\"weight\" goes with \"aggregate\": \"average\" alone");
  }
  return query;
}

}  // namespace

const char* NameOf(Chart::Type type) {
  return kTypes[static_cast<size_t>(type)].first;
}

const char* NameOf(ChartQuery::Aggregate aggregate) {
  return kAggregates[static_cast<size_t>(aggregate)].first;
}

Result<Chart> ParseChart(std::string name, std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return InvalidArgument("it is not a JSON object");
  RETURN_IF_ERROR(CheckNames(json,
                             {"title",
                              "about",
                              "section",
                              "type",
                              "unit",
                              "min",
                              "max",
                              "source",
                              "time",
                              "group",
                              "value",
                              "weight",
                              "aggregate",
                              "marks"}));
  Chart chart{.name = std::move(name)};
  ASSIGN_OR_RETURN(chart.title, Text(json, "title"));
  if (chart.title.empty()) return InvalidArgument("\"title\" is missing");
  ASSIGN_OR_RETURN(chart.about, Text(json, "about"));
  ASSIGN_OR_RETURN(chart.section, Text(json, "section"));
  ASSIGN_OR_RETURN(chart.unit, Text(json, "unit"));
  ASSIGN_OR_RETURN(chart.min, Number(json, "min"));
  ASSIGN_OR_RETURN(chart.max, Number(json, "max"));
  ASSIGN_OR_RETURN(const std::string type, Text(json, "type"));
  ASSIGN_OR_RETURN(chart.type, OneOf(kTypes, "type", type));
  ASSIGN_OR_RETURN(chart.query, ReadQuery(json));
  const auto marks = json.find("marks");
  if (marks == json.end()) return chart;
  if (!marks->is_object()) return InvalidArgument("\"marks\" must be an object");
  RETURN_IF_ERROR(CheckNames(*marks, {"source", "time", "group", "value"}).WithContext("marks"));
  Result<ChartQuery> query = ReadQuery(*marks);
  if (!query.ok()) return query.status().WithContext("marks");
  chart.marks = std::move(*query);
  return chart;
}

}  // namespace slipstream::gateway::charts
