#include "gateway/charts/chart_rows.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include <nlohmann/json.hpp>

namespace slipstream::gateway::charts {
namespace {

using Json = nlohmann::json;

constexpr char kOthers[] = "(others)";
constexpr int64_t kHourMs = 3'600'000;

template <class Number>
std::optional<Number> ToNumber(std::string_view text) {
  Number number{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

// A field of the row, or of the folders it lies in. Text, also of a number.
std::optional<std::string> FieldText(const Json& json,
                                     const SourceRow& row,
                                     const std::string& name) {
  if (const auto found = json.find(name); found != json.end() && !found->is_null()) {
    return found->is_string() ? found->get<std::string>() : found->dump();
  }
  if (row.folders == nullptr) return std::nullopt;
  for (const auto& [folder, value] : *row.folders) {
    if (folder == name) return value;
  }
  return std::nullopt;
}

std::optional<double> FieldNumber(const Json& json, const std::string& name) {
  const auto found = json.find(name);
  if (found == json.end()) return std::nullopt;
  std::optional<double> number;
  if (found->is_number()) number = found->get<double>();
  if (found->is_boolean()) number = found->get<bool>() ? 1 : 0;
  if (found->is_string()) number = ToNumber<double>(found->get_ref<const std::string&>());
  return number.has_value() && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<int64_t> FieldTime(const Json& json, const std::string& name) {
  const auto found = json.find(name);
  if (found == json.end()) return std::nullopt;
  if (found->is_number_integer()) return found->get<int64_t>();
  if (!found->is_string()) return std::nullopt;
  return ParseTime(found->get_ref<const std::string&>());
}

std::string HourName(int64_t at_ms) {
  constexpr int64_t kDayMs = 24 * kHourMs;
  const int64_t hour = (at_ms % kDayMs + kDayMs) % kDayMs / kHourMs;
  return std::string(hour < 10 ? "0" : "") + std::to_string(hour) + ":00";
}

// What an aggregate comes to, row by row.
class Sum {
 public:
  void Add(double value, double weight, int64_t at_ms) {
    ++rows_;
    sum_ += value * weight;
    weight_ += weight;
    min_ = rows_ == 1 ? value : std::min(min_, value);
    max_ = rows_ == 1 ? value : std::max(max_, value);
    if (rows_ == 1 || at_ms >= last_ms_) {
      last_ = value;
      last_ms_ = at_ms;
    }
  }

  uint64_t rows() const { return rows_; }
  double Value(ChartQuery::Aggregate aggregate) const {
    switch (aggregate) {
      case ChartQuery::Aggregate::kSum:
        return sum_;
      case ChartQuery::Aggregate::kAverage:
        return weight_ == 0 ? 0 : sum_ / weight_;
      case ChartQuery::Aggregate::kMin:
        return min_;
      case ChartQuery::Aggregate::kMax:
        return max_;
      case ChartQuery::Aggregate::kLast:
        return last_;
      case ChartQuery::Aggregate::kCount:
        break;
    }
    return static_cast<double>(rows_);
  }

 private:
  uint64_t rows_ = 0;
  double sum_ = 0;
  double weight_ = 0;
  double min_ = 0;
  double max_ = 0;
  double last_ = 0;
  int64_t last_ms_ = 0;
};

bool IsWithin(int64_t at_ms, const ChartRows::Range& range) {
  return (!range.from_ms || at_ms >= *range.from_ms) && (!range.to_ms || at_ms < *range.to_ms);
}

}  // namespace

std::optional<int64_t> ParseTime(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  const auto part = [&](size_t begin, size_t length) -> std::optional<int> {
    return text.size() < begin + length ? std::nullopt : ToNumber<int>(text.substr(begin, length));
  };
  const auto year = part(0, 4);
  const auto month = part(5, 2);
  const auto day = part(8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  double seconds = 0;
  if (text.size() > 10) {
    const auto hour = part(11, 2);
    const auto minute = part(14, 2);
    if (!hour || !minute) return std::nullopt;
    seconds = *hour * 3'600 + *minute * 60;
    if (text.size() > 17) {
      const auto rest = ToNumber<double>(text.substr(17));
      if (!rest || !(*rest >= 0 && *rest < 61)) return std::nullopt;
      seconds += *rest;
    }
  }
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 24 * kHourMs + std::llround(seconds * 1'000);
}

uint32_t ChartRows::GroupNumber(const std::string& name) {
  const auto found = numbers_.find(name);
  if (found != numbers_.end()) return found->second;
  if (groups_.size() >= kGroupsMax && name != kOthers) return GroupNumber(kOthers);
  const auto number = static_cast<uint32_t>(groups_.size());
  groups_.push_back(name);
  numbers_.emplace(name, number);
  return number;
}

void ChartRows::Add(const SourceRow& row) {
  const Json json = Json::parse(row.json, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return;
  Row added{.at_ms = row.at_ms};
  if (!query_.time.empty()) {
    const std::optional<int64_t> at = FieldTime(json, query_.time);
    if (!at) return;
    added.at_ms = *at;
  }
  if (query_.aggregate != ChartQuery::Aggregate::kCount) {
    const std::optional<double> value = FieldNumber(json, query_.value);
    if (!value) return;
    added.value = *value;
  }
  if (!query_.weight.empty()) {
    added.weight = static_cast<float>(FieldNumber(json, query_.weight).value_or(0));
  }
  std::string group = query_.is_hour_of_day ? HourName(added.at_ms) : "";
  if (!query_.group.empty()) group = FieldText(json, row, query_.group).value_or("(none)");
  added.group = GroupNumber(group);
  first_ms_ = std::min(first_ms_.value_or(added.at_ms), added.at_ms);
  newest_ms_ = std::max(newest_ms_.value_or(added.at_ms), added.at_ms);
  rows_.push_back(added);
  if (rows_.size() > kRowsMax) CutOldest();
}

// A tenth at once: to move the rest for each row would take for ever.
void ChartRows::CutOldest() {
  is_cut_ = true;
  rows_.erase(rows_.begin(), rows_.begin() + kRowsMax / 10);
  first_ms_ = rows_.front().at_ms;
  for (const Row& row : rows_)
    first_ms_ = std::min(*first_ms_, row.at_ms);
}

void ChartRows::Clear() {
  rows_ = {};
  groups_ = {};
  numbers_ = {};
  is_cut_ = false;
  first_ms_.reset();
  newest_ms_.reset();
}

std::vector<ChartRows::Group> ChartRows::Summarize(const Range& range, size_t steps) const {
  if (rows_.empty()) return {};
  const int64_t begin = range.from_ms.value_or(*first_ms_);
  const int64_t end = range.to_ms.value_or(*newest_ms_ + 1);
  const int64_t span = std::max<int64_t>(end - begin, 1);
  const int64_t step =
      steps == 0 ? span : std::max<int64_t>((span - 1) / static_cast<int64_t>(steps) + 1, 1);
  std::vector<Sum> totals(groups_.size());
  std::vector<std::map<int64_t, Sum>> by_step(steps == 0 ? 0 : groups_.size());
  for (const Row& row : rows_) {
    if (!IsWithin(row.at_ms, range)) continue;
    totals[row.group].Add(row.value, row.weight, row.at_ms);
    if (steps > 0) {
      by_step[row.group][(row.at_ms - begin) / step].Add(row.value, row.weight, row.at_ms);
    }
  }
  std::vector<Group> groups;
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (totals[i].rows() == 0) continue;
    Group group{
        .name = groups_[i], .value = totals[i].Value(query_.aggregate), .rows = totals[i].rows()};
    if (steps > 0) {
      for (const auto& [number, sum] : by_step[i]) {
        group.points.push_back(
            {.at_ms = begin + number * step + step / 2, .value = sum.Value(query_.aggregate)});
      }
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

std::vector<std::pair<std::string, ChartRows::Point>> ChartRows::Newest(const Range& range,
                                                                        size_t rows_max) const {
  std::vector<std::pair<std::string, Point>> newest;
  for (auto row = rows_.rbegin(); row != rows_.rend() && newest.size() < rows_max; ++row) {
    if (!IsWithin(row->at_ms, range)) continue;
    newest.emplace_back(groups_[row->group], Point{.at_ms = row->at_ms, .value = row->value});
  }
  return newest;
}

}  // namespace slipstream::gateway::charts
