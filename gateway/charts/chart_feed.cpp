#include "gateway/charts/chart_feed.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace slipstream::gateway::charts {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kBarsMax = 24;
constexpr size_t kLinesMax = 10;
constexpr size_t kMarksMax = 500;
constexpr size_t kStepsMax = 1'000;

std::string ToText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<const ChartQuery*> QueriesOf(const Chart& chart) {
  std::vector<const ChartQuery*> queries = {&chart.query};
  if (chart.marks.has_value()) queries.push_back(&*chart.marks);
  return queries;
}

Json SourceJson(const ChartQuery& query) {
  const bool is_topic = query.source == ChartQuery::Source::kTopic;
  return {{is_topic ? "topic" : "files", query.place}};
}

Json ChartJson(const ChartFolder::Entry& entry) {
  const Chart& chart = entry.chart;
  Json json = {{"chart", chart.name}, {"title", chart.title}};
  if (!entry.status.ok()) {
    json["error"] = entry.status.message();
    return json;
  }
  json["about"] = chart.about;
  json["section"] = chart.section;
  json["type"] = NameOf(chart.type);
  json["unit"] = chart.unit;
  json["source"] = SourceJson(chart.query);
  json["value"] = chart.query.value;
  json["aggregate"] = NameOf(chart.query.aggregate);
  if (chart.min.has_value()) json["min"] = *chart.min;
  if (chart.max.has_value()) json["max"] = *chart.max;
  if (chart.marks.has_value()) json["marks_source"] = SourceJson(*chart.marks);
  return json;
}

// Which are shown where there is not room for all: the largest, of averages those of most rows. In
// order of their names, but bars by their size.
void Arrange(const Chart& chart, std::vector<ChartRows::Group>& groups) {
  const bool is_lines = chart.type == Chart::Type::kLines;
  const size_t groups_max = is_lines ? kLinesMax : kBarsMax;
  const auto by_size = [](const auto& a, const auto& b) { return a.value > b.value; };
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  const auto by_rows = [](const auto& a, const auto& b) { return a.rows > b.rows; };
  if (chart.query.aggregate == ChartQuery::Aggregate::kAverage) {
    std::stable_sort(groups.begin(), groups.end(), by_rows);
    if (groups.size() > groups_max) groups.resize(groups_max);
  }
  std::stable_sort(groups.begin(), groups.end(), by_size);
  if (groups.size() > groups_max) groups.resize(groups_max);
  if (chart.type != Chart::Type::kBars || chart.query.is_hour_of_day) {
    std::stable_sort(groups.begin(), groups.end(), by_name);
  }
}

Json GroupsJson(const std::vector<ChartRows::Group>& groups) {
  Json list = Json::array();
  for (const ChartRows::Group& group : groups) {
    Json points = Json::array();
    for (const ChartRows::Point& point : group.points)
      points.push_back({point.at_ms, point.value});
    list.push_back({{"name", group.name},
                    {"value", group.value},
                    {"rows", group.rows},
                    {"points", std::move(points)}});
  }
  return list;
}

Json MarksJson(const ChartRows& rows, const ChartRows::Range& range) {
  Json list = Json::array();
  for (const auto& [group, point] : rows.Newest(range, kMarksMax))
    list.push_back({{"group", group}, {"at_ms", point.at_ms}, {"value", point.value}});
  return list;
}

}  // namespace

void ChartFeed::TakeFolder() {
  const std::map<std::string, ChartFolder::Entry>& entries = folder_.Refresh();
  std::erase_if(sources_, [&](const auto& own) { return !entries.contains(own.first); });
  MutexLock lock(mutex_);
  std::erase_if(charts_, [&](const auto& own) { return !entries.contains(own.first); });
  for (const auto& [name, entry] : entries) {
    Shown& shown = charts_[name];
    if (shown.entry.version == entry.version) continue;
    const std::optional<SteadyTime> looked_at = shown.looked_at;
    shown = Shown();
    shown.entry = entry;
    shown.looked_at = looked_at;
    sources_.erase(name);
  }
}

std::vector<std::string> ChartFeed::LookedAt() {
  const SteadyTime now = clock_.Now();
  std::vector<std::string> names;
  MutexLock lock(mutex_);
  for (auto& [name, shown] : charts_) {
    if (!shown.looked_at.has_value() || !shown.entry.status.ok()) continue;
    if (now - *shown.looked_at > kForgetAfter) {
      shown.looked_at.reset();
      shown.rows.clear();
      shown.statuses.clear();
      shown.was_read = shown.is_at_end = false;
      sources_.erase(name);
    } else if (now - *shown.looked_at <= kLookedAtFor) {
      names.push_back(name);
      if (shown.rows.empty()) {
        Sources& sources = sources_[name];
        for (const ChartQuery* query : QueriesOf(shown.entry.chart)) {
          shown.rows.emplace_back(*query);
          sources.push_back(open_source_(*query));
        }
        shown.statuses.resize(shown.rows.size());
      }
    }
  }
  return names;
}

void ChartFeed::ReadOn(const std::string& name, Sources& sources) {
  bool is_at_end = true;
  for (size_t i = 0; i < sources.size(); ++i) {
    const auto progress = sources[i]->ReadOn([&](const SourceRow& row) {
      MutexLock lock(mutex_);
      charts_.at(name).rows[i].Add(row);
    });
    MutexLock lock(mutex_);
    Shown& shown = charts_.at(name);
    shown.statuses[i] = progress.status();
    if (!progress.ok()) continue;
    if (progress->must_forget) shown.rows[i].Clear();
    is_at_end = is_at_end && progress->is_at_end;
  }
  MutexLock lock(mutex_);
  charts_.at(name).was_read = true;
  charts_.at(name).is_at_end = is_at_end;
}

void ChartFeed::Turn() {
  TakeFolder();
  for (const std::string& name : LookedAt())
    ReadOn(name, sources_.at(name));
}

std::string ChartFeed::ListText() const {
  Json list = Json::array();
  MutexLock lock(mutex_);
  for (const auto& [name, shown] : charts_)
    list.push_back(ChartJson(shown.entry));
  return ToText({{"charts", std::move(list)}});
}

Result<std::string> ChartFeed::DataText(const Request& request) {
  MutexLock lock(mutex_);
  const auto found = charts_.find(request.chart);
  if (found == charts_.end()) return NotFound("there is no chart " + request.chart);
  Shown& shown = found->second;
  if (!shown.entry.status.ok()) return shown.entry.status;
  shown.looked_at = clock_.Now();
  Json json = ChartJson(shown.entry);
  json["is_read"] = shown.was_read;
  if (shown.rows.empty()) return ToText(json);

  const ChartRows& rows = shown.rows.front();
  ChartRows::Range range = request.range;
  if (request.last_ms.has_value() && rows.newest_ms().has_value()) {
    range = {.from_ms = *rows.newest_ms() + 1 - *request.last_ms, .to_ms = *rows.newest_ms() + 1};
  }
  const bool has_points = shown.entry.chart.type != Chart::Type::kBars;
  std::vector<ChartRows::Group> groups =
      rows.Summarize(range, has_points ? std::clamp<size_t>(request.steps, 1, kStepsMax) : 0);
  const size_t group_count = groups.size();
  Arrange(shown.entry.chart, groups);
  json["is_at_end"] = shown.is_at_end;
  json["is_cut"] = rows.is_cut();
  json["rows"] = rows.row_count();
  if (rows.first_ms().has_value()) {
    json["first_ms"] = *rows.first_ms();
    json["newest_ms"] = *rows.newest_ms();
    json["from_ms"] = range.from_ms.value_or(*rows.first_ms());
    json["to_ms"] = range.to_ms.value_or(*rows.newest_ms() + 1);
  }
  json["groups_left_out"] = group_count - groups.size();
  json["groups"] = GroupsJson(groups);
  if (shown.rows.size() > 1) json["marks"] = MarksJson(shown.rows[1], range);
  for (const Status& status : shown.statuses) {
    if (!status.ok()) json["trouble"] = status.message();
  }
  return ToText(json);
}

}  // namespace slipstream::gateway::charts
