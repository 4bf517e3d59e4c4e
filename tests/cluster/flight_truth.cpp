#include "tests/cluster/flight_truth.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ostream>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <zstd.h>

#include "tests/support/process.h"

namespace slipstream::test_support {
namespace {

constexpr int64_t kMinutesPerHour = 60;
constexpr int64_t kMinutesPerDay = 24 * kMinutesPerHour;
constexpr int kDelayedMinutes = 15;

Result<std::vector<char>> Decompress(const std::string& compressed) {
  std::vector<char> text;
  std::vector<char> piece(ZSTD_DStreamOutSize());
  ZSTD_DStream* stream = ZSTD_createDStream();
  ZSTD_inBuffer in{compressed.data(), compressed.size(), 0};
  size_t state = 1;
  while (in.pos < in.size && ZSTD_isError(state) == 0) {
    ZSTD_outBuffer out{piece.data(), piece.size(), 0};
    state = ZSTD_decompressStream(stream, &out, &in);
    text.insert(text.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(out.pos));
  }
  ZSTD_freeDStream(stream);
  if (state != 0) return DataLoss("not a whole zstd file");
  return text;
}

// The fields of a line; quotes may enclose commas, and none is doubled in these files.
std::vector<std::string_view> Split(std::string_view line) {
  std::vector<std::string_view> fields;
  size_t begin = 0;
  bool is_quoted = false;
  for (size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] == '"') is_quoted = !is_quoted;
    if (i < line.size() && (line[i] != ',' || is_quoted)) continue;
    std::string_view field = line.substr(begin, i - begin);
    if (field.size() >= 2 && field.front() == '"') field = field.substr(1, field.size() - 2);
    if (field == "NA" || field == "\\N") field = {};
    fields.push_back(field);
    begin = i + 1;
  }
  return fields;
}

Result<std::vector<FlightRow>> ParseRows(std::string_view text) {
  std::vector<FlightRow> rows;
  size_t line_number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    begin = end + 1;
    const std::vector<std::string_view> fields = Split(line);
    if (fields.size() != FlightRow::kFieldCount) {
      return InvalidArgument(fmt::format("line {}: {} fields", line_number + 1, fields.size()));
    }
    if (line_number++ == 0) {
      if (std::equal(fields.begin(), fields.end(), FlightRow::kNames.begin())) continue;
      return InvalidArgument("not the header of 21 columns");
    }
    FlightRow& row = rows.emplace_back();
    std::copy(fields.begin(), fields.end(), row.fields.begin());
  }
  return rows;
}

FlightFigures::Delays DelayFigures(const std::vector<FlightRow>& rows, std::string_view field) {
  FlightFigures::Delays figures;
  for (const FlightRow& row : rows) {
    const std::optional<int> delay = row.Number(field);
    if (!delay) continue;
    figures.min = figures.present == 0 ? *delay : std::min(figures.min, *delay);
    figures.max = figures.present == 0 ? *delay : std::max(figures.max, *delay);
    ++figures.present;
    figures.above_zero += *delay > 0 ? 1 : 0;
    figures.at_least_15 += *delay >= kDelayedMinutes ? 1 : 0;
  }
  return figures;
}

// An average over the positive values.
struct PositiveAverage {
  int64_t count = 0;
  int64_t sum = 0;

  void Add(std::optional<int> value) {
    if (value.value_or(0) <= 0) return;
    ++count;
    sum += *value;
  }
  std::optional<double> value() const {
    if (count == 0) return std::nullopt;
    return static_cast<double>(sum) / static_cast<double>(count);
  }
};

std::string Shown(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : "null";
}

}  // namespace

const std::array<std::string_view, FlightRow::kFieldCount> FlightRow::kNames = {
    "id",       "year",           "month",     "day",     "dep_time", "sched_dep_time", "dep_delay",
    "arr_time", "sched_arr_time", "arr_delay", "carrier", "flight",   "tailnum",        "origin",
    "dest",     "air_time",       "distance",  "hour",    "minute",   "time_hour",      "name"};

std::string_view FlightRow::Text(std::string_view name) const {
  for (size_t i = 0; i < kFieldCount; ++i) {
    if (kNames[i] == name) return fields[i];
  }
  std::abort();  // a misspelt name in a test
}

std::optional<int> FlightRow::Number(std::string_view name) const {
  const std::string text(Text(name));
  if (text.empty()) return std::nullopt;
  return static_cast<int>(std::strtod(text.c_str(), nullptr));
}

int64_t FlightRow::EventMinute() const {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendars
  const sys_days day = year(*Number("year")) / month(static_cast<unsigned>(*Number("month"))) /
                       std::chrono::day(static_cast<unsigned>(*Number("day")));
  const int schedule = Number("sched_dep_time").value_or(0);
  return day.time_since_epoch().count() * kMinutesPerDay + schedule / 100 * kMinutesPerHour +
         schedule % 100;
}

std::string MinuteText(int64_t minutes_since_1970) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendars
  const sys_days days{std::chrono::days(minutes_since_1970 / kMinutesPerDay)};
  const year_month_day date(days);
  const int64_t minute = minutes_since_1970 % kMinutesPerDay;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:00",
                     static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()),
                     minute / kMinutesPerHour,
                     minute % kMinutesPerHour);
}

std::ostream& operator<<(std::ostream& out, const DelayRow& row) {
  return out << fmt::format("{} to {} {} {}: {} flights, {} on average, {} at most",
                            row.window_start,
                            row.window_end,
                            row.origin,
                            row.carrier,
                            row.delayed_flights,
                            row.avg_arr_delay,
                            row.max_arr_delay);
}

std::ostream& operator<<(std::ostream& out, const CarrierRow& row) {
  return out << fmt::format("{}: {} flights, {} {} {}, score {}",
                            row.carrier,
                            row.flights,
                            Shown(row.avg_dep_delay),
                            Shown(row.avg_arr_delay),
                            Shown(row.avg_air_time),
                            Shown(row.score));
}

Result<FlightTruth> FlightTruth::Read(const std::filesystem::path& path) {
  const std::string file = ReadFile(path);
  FlightTruth truth;
  if (path.extension() == ".zst") {
    ASSIGN_OR_RETURN(truth.text_, Decompress(file));
  } else {
    truth.text_.assign(file.begin(), file.end());
  }
  Result<std::vector<FlightRow>> rows =
      ParseRows(std::string_view(truth.text_.data(), truth.text_.size()));
  if (!rows.ok()) return rows.status().WithContext(path.string());
  truth.rows_ = *std::move(rows);
  return truth;
}

FlightFigures FlightTruth::Figures() const {
  FlightFigures figures;
  figures.flights = static_cast<int64_t>(rows_.size());
  for (const FlightRow& row : rows_) {
    const bool is_cancelled = !row.Number("dep_time");
    figures.cancelled += is_cancelled ? 1 : 0;
    figures.departed_without_delay += !is_cancelled && !row.Number("arr_delay") ? 1 : 0;
    ++figures.by_origin[std::string(row.Text("origin"))];
    ++figures.by_carrier[std::string(row.Text("carrier"))];
  }
  figures.departure = DelayFigures(rows_, "dep_delay");
  figures.arrival = DelayFigures(rows_, "arr_delay");
  return figures;
}

std::vector<DelayRow> FlightTruth::Delays() const {
  struct Cell {
    int64_t count = 0;
    int64_t sum = 0;
    int max = 0;
  };
  std::map<std::tuple<int64_t, std::string_view, std::string_view>, Cell> cells;
  for (const FlightRow& row : rows_) {
    const int delay = row.Number("arr_delay").value_or(0);
    if (delay < kDelayedMinutes) continue;
    const int64_t minute = row.EventMinute();
    Cell& cell =
        cells[{minute - minute % kMinutesPerHour, row.Text("origin"), row.Text("carrier")}];
    ++cell.count;
    cell.sum += delay;
    cell.max = std::max(cell.max, delay);
  }
  std::vector<DelayRow> delays;
  for (const auto& [key, cell] : cells) {
    const auto& [start, origin, carrier] = key;
    delays.push_back(
        {.window_start = MinuteText(start),
         .window_end = MinuteText(start + kMinutesPerHour),
         .origin = std::string(origin),
         .carrier = std::string(carrier),
         .delayed_flights = cell.count,
         .avg_arr_delay = static_cast<double>(cell.sum) / static_cast<double>(cell.count),
         .max_arr_delay = cell.max});
  }
  std::sort(delays.begin(), delays.end());
  return delays;
}

std::vector<CarrierRow> FlightTruth::Carriers() const {
  struct Cell {
    int64_t flights = 0;
    PositiveAverage dep_delay;
    PositiveAverage arr_delay;
    PositiveAverage air_time;
  };
  std::map<std::string_view, Cell> cells;
  for (const FlightRow& row : rows_) {
    Cell& cell = cells[row.Text("carrier")];
    ++cell.flights;
    cell.dep_delay.Add(row.Number("dep_delay"));
    cell.arr_delay.Add(row.Number("arr_delay"));
    cell.air_time.Add(row.Number("air_time"));
  }
  std::vector<CarrierRow> carriers;
  for (const auto& [carrier, cell] : cells) {
    CarrierRow row{.carrier = std::string(carrier),
                   .flights = cell.flights,
                   .avg_dep_delay = cell.dep_delay.value(),
                   .avg_arr_delay = cell.arr_delay.value(),
                   .avg_air_time = cell.air_time.value(),
                   .score = std::nullopt};
    if (row.avg_dep_delay && row.avg_arr_delay && row.avg_air_time) {
      row.score = (2 * *row.avg_dep_delay + *row.avg_arr_delay) / *row.avg_air_time;
    }
    carriers.push_back(std::move(row));
  }
  return carriers;
}

}  // namespace slipstream::test_support
