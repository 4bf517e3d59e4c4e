#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/charts/chart.h"

namespace slipstream::gateway::charts {

// A row as its source gives it.
struct SourceRow {
  std::string_view json;
  int64_t at_ms = 0;  // the record's time, since 1970 UTC
  // Of the folders "name=value" in which it lies: columns that are not in the row itself.
  const std::vector<std::pair<std::string, std::string>>* folders = nullptr;
};

// ChartRows: what a query takes of the rows of its source: when, which group, how much. In memory,
// the newest kRowsMax; kGroupsMax groups, what is more is "(others)".
//
// Threads  not thread-safe.
class ChartRows final {
 public:
  static constexpr size_t kRowsMax = 100'000;
  static constexpr size_t kGroupsMax = 1'000;

  explicit ChartRows(ChartQuery query) : query_(std::move(query)) {}

  const ChartQuery& query() const { return query_; }

  // A row without the value, or without a time, is passed over.
  void Add(const SourceRow& row);
  void Clear();

  // Half-open, by the rows' times; nothing: no limit.
  struct Range {
    std::optional<int64_t> from_ms;
    std::optional<int64_t> to_ms;
  };
  struct Point {
    int64_t at_ms = 0;  // the middle of its step
    double value = 0;
  };
  struct Group {
    std::string name;
    double value = 0;  // of all its rows in the range
    uint64_t rows = 0;
    std::vector<Point> points;
  };
  // Groups with rows in the range, the range cut into `steps`; 0: without points.
  std::vector<Group> Summarize(const Range& range, size_t steps) const;
  // Single rows in the range, the newest `rows_max`.
  std::vector<std::pair<std::string, Point>> Newest(const Range& range, size_t rows_max) const;

  size_t row_count() const { return rows_.size(); }
  // Older rows were given up.
  bool is_cut() const { return is_cut_; }
  std::optional<int64_t> first_ms() const { return first_ms_; }
  std::optional<int64_t> newest_ms() const { return newest_ms_; }

 private:
  struct Row {
    int64_t at_ms = 0;
    double value = 0;
    float weight = 1;
    uint32_t group = 0;
  };

  uint32_t GroupNumber(const std::string& name);
  void CutOldest();

  const ChartQuery query_;
  std::vector<Row> rows_;  // as they came
  std::vector<std::string> groups_;
  std::map<std::string, uint32_t> numbers_;
  bool is_cut_ = false;
  std::optional<int64_t> first_ms_;
  std::optional<int64_t> newest_ms_;
};

// Milliseconds since 1970 UTC: "2024-05-12 02:11:37.250", with T or Z, without seconds or time.
std::optional<int64_t> ParseTime(std::string_view text);

}  // namespace slipstream::gateway::charts
