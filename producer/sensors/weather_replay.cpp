#include "producer/sensors/weather_replay.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "producer/sensors/reading.h"
#include "producer/sensors/time_text.h"

namespace slipstream::producer {
namespace {

using Time = std::chrono::local_time<std::chrono::milliseconds>;

bool IsMissing(std::string_view text) {
  return text.empty() || text == "NA" || text == "\\N";
}

// Empty: not a number. An empty inner value: missing.
std::optional<std::optional<double>> ParseValue(std::string_view text) {
  if (IsMissing(text)) return std::optional<double>();
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || !std::isfinite(value) || std::abs(value) > 1e6) return std::nullopt;
  return std::optional<double>(value);
}

}  // namespace

struct WeatherReplay::Columns {
  size_t count = 0;
  size_t origin = 0;
  size_t temp = 0;
  size_t humid = 0;
  size_t time_hour = 0;

  static Result<Columns> Find(std::span<const std::string_view> header) {
    Columns columns{.count = header.size()};
    for (auto [name, index] : {std::pair("origin", &columns.origin),
                               std::pair("temp", &columns.temp),
                               std::pair("humid", &columns.humid),
                               std::pair("time_hour", &columns.time_hour)}) {
      auto found = std::find(header.begin(), header.end(), name);
      if (found == header.end()) {
        return InvalidArgument(fmt::format("the header has no column {}", name));
      }
      *index = static_cast<size_t>(found - header.begin());
    }
    return columns;
  }
};

WeatherReplay::WeatherReplay(const Options& options, RejectedRows& rejected)
    : options_(options),
      rejected_(rejected),
      sorter_({.memory_bytes = options.sort_memory_bytes, .directory = options.temp_directory}) {}

Status WeatherReplay::Load() {
  ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, OpenByteSource(options_.file));
  CsvReader reader(std::move(source));
  std::optional<Columns> columns;
  std::string message;
  while (true) {
    Result<CsvReader::Outcome> outcome = reader.Next();
    if (!outcome.ok()) return outcome.error().WithContext(options_.file.string());
    if (*outcome == CsvReader::Outcome::kEnd) break;
    if (*outcome == CsvReader::Outcome::kBadRow) {
      RETURN_IF_ERROR(Reject(reader.line(), reader.reason()));
      continue;
    }
    std::span<const std::string_view> row = reader.fields();
    if (!columns) {
      Result<Columns> found = Columns::Find(row);
      if (!found.ok()) return found.error().WithContext(options_.file.string());
      columns = *found;
      continue;
    }
    if (row.size() != columns->count) {
      RETURN_IF_ERROR(
          Reject(reader.line(),
                 fmt::format("the row has {} fields instead of {}", row.size(), columns->count)));
      continue;
    }
    std::optional<Time> time = ParseTime(row[columns->time_hour]);
    auto fahrenheit = ParseValue(row[columns->temp]);
    auto humidity = ParseValue(row[columns->humid]);
    std::string_view client = row[columns->origin];
    if (!time || !fahrenheit || !humidity || IsMissing(client)) {
      RETURN_IF_ERROR(Reject(reader.line(), "origin, time_hour, temp or humid cannot be read"));
      continue;
    }
    std::optional<double> celsius;
    if (*fahrenheit) celsius = (**fahrenheit - 32) * 5 / 9;
    // The client is kept before the message, which is its key.
    message.assign(client);
    message.push_back('\0');
    AppendWeatherJson(Reading{.device = client,
                              .time = *time,
                              .temperature_celsius = celsius,
                              .humidity_percent = *humidity},
                      message);
    RETURN_IF_ERROR(sorter_.Add(time->time_since_epoch().count(), message));
    if (options_.rows_read != nullptr) ++*options_.rows_read;
  }
  return sorter_.Finish();
}

Result<bool> WeatherReplay::Next(Record& record) {
  int64_t key = 0;
  std::string_view message;
  ASSIGN_OR_RETURN(bool more, sorter_.Next(key, message));
  if (!more) return false;
  size_t client_size = message.rfind('\0');  // JSON has none of its own
  record = {.key = message.substr(0, client_size),
            .value = message.substr(client_size + 1),
            .event_time = Time(std::chrono::milliseconds(key)),
            .id = next_id_++};
  return true;
}

Status WeatherReplay::Reject(uint64_t line, const std::string& reason) {
  if (options_.is_strict) {
    return InvalidArgument(fmt::format("{}:{}: {}", options_.file.string(), line, reason));
  }
  rejected_.Add(options_.file, line, reason);
  return {};
}

}  // namespace slipstream::producer
