#include "producer/flights/layout.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace slipstream::producer {
namespace {

// A column that a layout keeps a field in. In files without a header `position`, from 0, counts;
// in others the name, whatever its case. `other_name` is what newer or older files call it.
struct Column {
  Field field;
  int16_t position;
  std::string_view name;
  std::string_view other_name = {};
};

struct LayoutSpec {
  std::string_view name;
  size_t columns;
  std::span<const Column> used;
};

constexpr Column kNycflights21[] = {
    {Field::kId, 0, "id"},
    {Field::kYear, 1, "year"},
    {Field::kMonth, 2, "month"},
    {Field::kDay, 3, "day"},
    {Field::kDepTime, 4, "dep_time"},
    {Field::kSchedDepTime, 5, "sched_dep_time"},
    {Field::kDepDelay, 6, "dep_delay"},
    {Field::kArrTime, 7, "arr_time"},
    {Field::kSchedArrTime, 8, "sched_arr_time"},
    {Field::kArrDelay, 9, "arr_delay"},
    {Field::kCarrier, 10, "carrier"},
    {Field::kFlight, 11, "flight"},
    {Field::kTailnum, 12, "tailnum"},
    {Field::kOrigin, 13, "origin"},
    {Field::kDest, 14, "dest"},
    {Field::kAirTime, 15, "air_time"},
    {Field::kDistance, 16, "distance"},
    {Field::kHour, 17, "hour"},
    {Field::kMinute, 18, "minute"},
    {Field::kTimeHour, 19, "time_hour"},
    {Field::kName, 20, "name"},
};

// time_hour is left out: in this file it is UTC.
constexpr Column kNycflights19[] = {
    {Field::kYear, 0, "year"},
    {Field::kMonth, 1, "month"},
    {Field::kDay, 2, "day"},
    {Field::kDepTime, 3, "dep_time"},
    {Field::kSchedDepTime, 4, "sched_dep_time"},
    {Field::kDepDelay, 5, "dep_delay"},
    {Field::kArrTime, 6, "arr_time"},
    {Field::kSchedArrTime, 7, "sched_arr_time"},
    {Field::kArrDelay, 8, "arr_delay"},
    {Field::kCarrier, 9, "carrier"},
    {Field::kFlight, 10, "flight"},
    {Field::kTailnum, 11, "tailnum"},
    {Field::kOrigin, 12, "origin"},
    {Field::kDest, 13, "dest"},
    {Field::kAirTime, 14, "air_time"},
    {Field::kDistance, 15, "distance"},
};

// hour and minute are left out: in this file they are those of the actual departure.
constexpr Column kNycflights16[] = {
    {Field::kYear, 0, "year"},
    {Field::kMonth, 1, "month"},
    {Field::kDay, 2, "day"},
    {Field::kDepTime, 3, "dep_time"},
    {Field::kDepDelay, 4, "dep_delay"},
    {Field::kArrTime, 5, "arr_time"},
    {Field::kArrDelay, 6, "arr_delay"},
    {Field::kCarrier, 7, "carrier"},
    {Field::kTailnum, 8, "tailnum"},
    {Field::kFlight, 9, "flight"},
    {Field::kOrigin, 10, "origin"},
    {Field::kDest, 11, "dest"},
    {Field::kAirTime, 12, "air_time"},
    {Field::kDistance, 13, "distance"},
};

constexpr Column kBts29[] = {
    {Field::kYear, 0, "Year"},
    {Field::kMonth, 1, "Month"},
    {Field::kDay, 2, "DayofMonth"},
    {Field::kDepTime, 4, "DepTime"},
    {Field::kSchedDepTime, 5, "CRSDepTime"},
    {Field::kArrTime, 6, "ArrTime"},
    {Field::kSchedArrTime, 7, "CRSArrTime"},
    {Field::kCarrier, 8, "UniqueCarrier", "Reporting_Airline"},
    {Field::kFlight, 9, "FlightNum", "Flight_Number_Reporting_Airline"},
    {Field::kTailnum, 10, "TailNum", "Tail_Number"},
    {Field::kAirTime, 13, "AirTime"},
    {Field::kArrDelay, 14, "ArrDelay"},
    {Field::kDepDelay, 15, "DepDelay"},
    {Field::kOrigin, 16, "Origin"},
    {Field::kDest, 17, "Dest"},
    {Field::kDistance, 18, "Distance"},
};

constexpr Column kBtsRaw[] = {
    {Field::kYear, 0, "Year"},
    {Field::kMonth, 2, "Month"},
    {Field::kDay, 3, "DayofMonth"},
    {Field::kCarrier, 6, "UniqueCarrier", "Reporting_Airline"},
    {Field::kTailnum, 9, "TailNum", "Tail_Number"},
    {Field::kFlight, 10, "FlightNum", "Flight_Number_Reporting_Airline"},
    {Field::kOrigin, 14, "Origin"},
    {Field::kDest, 23, "Dest"},
    {Field::kSchedDepTime, 29, "CRSDepTime"},
    {Field::kDepTime, 30, "DepTime"},
    {Field::kDepDelay, 31, "DepDelay"},
    {Field::kSchedArrTime, 40, "CRSArrTime"},
    {Field::kArrTime, 41, "ArrTime"},
    {Field::kArrDelay, 42, "ArrDelay"},
    {Field::kAirTime, 52, "AirTime"},
    {Field::kDistance, 54, "Distance"},
};

constexpr Column kKaggle31[] = {
    {Field::kYear, 0, "YEAR"},
    {Field::kMonth, 1, "MONTH"},
    {Field::kDay, 2, "DAY"},
    {Field::kCarrier, 4, "AIRLINE"},
    {Field::kFlight, 5, "FLIGHT_NUMBER"},
    {Field::kTailnum, 6, "TAIL_NUMBER"},
    {Field::kOrigin, 7, "ORIGIN_AIRPORT"},
    {Field::kDest, 8, "DESTINATION_AIRPORT"},
    {Field::kSchedDepTime, 9, "SCHEDULED_DEPARTURE"},
    {Field::kDepTime, 10, "DEPARTURE_TIME"},
    {Field::kDepDelay, 11, "DEPARTURE_DELAY"},
    {Field::kAirTime, 16, "AIR_TIME"},
    {Field::kDistance, 17, "DISTANCE"},
    {Field::kSchedArrTime, 20, "SCHEDULED_ARRIVAL"},
    {Field::kArrTime, 21, "ARRIVAL_TIME"},
    {Field::kArrDelay, 22, "ARRIVAL_DELAY"},
};

// Of the layouts all of whose columns are found the one with the most wins, else the one with the
// most found; of two the first. Names alone do not tell: the 21 columns hold those of the 19 and
// the 16, which mean other things by some.
constexpr LayoutSpec kLayouts[] = {
    {"nycflights13-21", 21, kNycflights21},
    {"nycflights13-19", 19, kNycflights19},
    {"nycflights13-16", 16, kNycflights16},
    {"bts-29", 29, kBts29},
    {"bts-raw", 109, kBtsRaw},
    {"kaggle-31", 31, kKaggle31},
};

bool SameName(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [lower](char x, char y) {
    return lower(x) == lower(y);
  });
}

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

// The position of the column in a header, or -1.
int16_t Find(const Column& column, std::span<const std::string_view> header) {
  for (std::string_view name : {column.name, column.other_name}) {
    if (name.empty()) continue;
    for (size_t i = 0; i < header.size(); ++i) {
      if (SameName(Trim(header[i]), name)) return static_cast<int16_t>(i);
    }
  }
  return -1;
}

// Rows are numbers and codes; a header names at least the year.
bool IsHeader(std::span<const std::string_view> row) {
  return std::any_of(
      row.begin(), row.end(), [](std::string_view name) { return SameName(Trim(name), "year"); });
}

// An empty field after a comma at the row's end is none.
size_t CountColumns(std::span<const std::string_view> row) {
  return row.size() > 1 && row.back().empty() ? row.size() - 1 : row.size();
}

constexpr std::initializer_list<Field> kRequired = {
    Field::kYear, Field::kMonth, Field::kDay, Field::kCarrier, Field::kOrigin, Field::kDest};

}  // namespace

std::vector<std::string_view> Layout::Names() {
  std::vector<std::string_view> names;
  for (const LayoutSpec& spec : kLayouts)
    names.push_back(spec.name);
  return names;
}

Result<Layout> Layout::Recognise(std::span<const std::string_view> first_row) {
  if (!IsHeader(first_row)) {
    for (const LayoutSpec& spec : kLayouts) {
      // Only the raw layout ends its rows with a comma; in the others an empty last field is one.
      if (first_row.size() == spec.columns ||
          (spec.name == "bts-raw" && first_row.size() == spec.columns + 1)) {
        return Named(spec.name, first_row);
      }
    }
    return InvalidArgument(fmt::format(
        "the first row is no header and has {} fields: no layout has (known: {}; see --layout)",
        first_row.size(),
        fmt::join(Names(), ", ")));
  }
  Layout best;
  size_t best_found = 0;
  bool best_is_complete = false;
  for (const LayoutSpec& spec : kLayouts) {
    Result<Layout> layout = Named(spec.name, first_row);
    if (!layout.ok()) continue;
    auto found = static_cast<size_t>(std::count_if(
        layout->column_.begin(), layout->column_.end(), [](int c) { return c >= 0; }));
    bool is_complete = found == spec.used.size();
    if (std::pair(is_complete, found) > std::pair(best_is_complete, best_found)) {
      best = *layout;
      best_found = found;
      best_is_complete = is_complete;
    }
  }
  if (best_found == 0) {
    return InvalidArgument(fmt::format(
        "the header fits no layout: year, month, day, carrier, origin and destination are needed "
        "under the names of one of {}",
        fmt::join(Names(), ", ")));
  }
  return best;
}

Result<Layout> Layout::Named(std::string_view name, std::span<const std::string_view> first_row) {
  const LayoutSpec* spec = std::find_if(std::begin(kLayouts),
                                        std::end(kLayouts),
                                        [name](const LayoutSpec& s) { return s.name == name; });
  if (spec == std::end(kLayouts)) {
    return InvalidArgument(
        fmt::format("no layout is called {} (known: {})", name, fmt::join(Names(), ", ")));
  }
  Layout layout;
  layout.name_ = spec->name;
  layout.has_header_ = IsHeader(first_row);
  layout.columns_ = layout.has_header_ ? CountColumns(first_row) : spec->columns;
  for (const Column& column : spec->used) {
    layout.column_[static_cast<size_t>(column.field)] =
        layout.has_header_ ? Find(column, first_row) : column.position;
  }
  for (Field field : kRequired) {
    if (layout.column(field) < 0) {
      return InvalidArgument(fmt::format(
          "layout {} needs a column for {}, the header has none", name, FieldName(field)));
    }
  }
  return layout;
}

}  // namespace slipstream::producer
