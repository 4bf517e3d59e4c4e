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

#include "producer/sensors/weather_message.h"

namespace slipstream::producer {
namespace {

using Time = std::chrono::local_time<std::chrono::milliseconds>;

bool IsMissing(std::string_view text) {
  return text.empty() || text == "NA" || text == "\\N";
}

// "2013-01-01T06:00:00Z", or with a space and without the Z.
std::optional<Time> ParseTime(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  if (text.size() != kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i) {
    bool is_digit = text[i] >= '0' && text[i] <= '9';
    bool fits = kForm[i] == 'd'   ? is_digit
                : kForm[i] == 'T' ? text[i] == 'T' || text[i] == ' '
                                  : text[i] == kForm[i];
    if (!fits) return std::nullopt;
  }
  auto number = [text](size_t begin, size_t count) {
    int value = 0;
    std::from_chars(text.data() + begin, text.data() + begin + count, value);
    return value;
  };
  std::chrono::year_month_day date(std::chrono::year(number(0, 4)),
                                   std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                   std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) {
    return std::nullopt;
  }
  return std::chrono::local_days(date) + std::chrono::hours(number(11, 2)) +
         std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2));
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
    AppendJson(WeatherMessage{.client = client,
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
