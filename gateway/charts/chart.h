#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/status/status.h"

namespace slipstream::gateway::charts {

// Which rows a chart shows, and what of them. Fields are those of the rows' JSON objects.
struct ChartQuery {
  enum class Source { kTopic, kFiles };
  enum class Aggregate { kSum, kAverage, kMin, kMax, kLast, kCount };

  Source source = Source::kTopic;
  std::string place;  // a topic, or a path below which files of JSON lines lie
  // Of the row's time; empty: the record's own, of a file when it was read.
  std::string time;
  // Rows that agree in it are one line, bar or gauge; empty: all rows are.
  std::string group;
  bool is_hour_of_day = false;  // the group is the hour of the row's time instead
  std::string value;            // empty for kCount
  std::string weight;           // of kAverage; empty: every row counts once
  Aggregate aggregate = Aggregate::kAverage;
};

// Chart: what a file of the dashboards' folder describes (dashboards/README.md). Plain values.
struct Chart {
  enum class Type { kLines, kBars, kGauges };

  std::string name;  // the file's, without ".json"
  std::string title;
  std::string about;
  std::string section;  // charts of one stand together
  Type type = Type::kLines;
  std::string unit;
  std::optional<double> min;  // of the axis, or of a gauge
  std::optional<double> max;
  ChartQuery query;
  std::optional<ChartQuery> marks;  // rows that are marked, one by one, on the lines
};

// Errors: kInvalidArgument with what is wrong, in words for whoever wrote the file.
Result<Chart> ParseChart(std::string name, std::string_view text);

const char* NameOf(Chart::Type type);
const char* NameOf(ChartQuery::Aggregate aggregate);

}  // namespace slipstream::gateway::charts
