#include "producer/sensors/weather_message.h"

#include <cmath>
#include <cstdint>
#include <iterator>

#include <fmt/compile.h>
#include <fmt/format.h>

#include "producer/json/json_text.h"

namespace slipstream::producer {
namespace {

void AppendValue(const std::optional<double>& value, std::string& out) {
  if (!value) {
    out.append("null");
    return;
  }
  int64_t hundredths = std::llround(*value * 100);
  std::string text = fmt::format(FMT_COMPILE("{}{}.{:02}"),
                                 hundredths < 0 ? "-" : "",
                                 std::abs(hundredths) / 100,
                                 std::abs(hundredths) % 100);
  AppendJsonNumber(text, out);
}

}  // namespace

void AppendJson(const WeatherMessage& message, std::string& out) {
  auto midnight = std::chrono::floor<std::chrono::days>(message.time);
  std::chrono::year_month_day date(midnight);
  std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(message.time - midnight));
  out.append("{\"client\":");
  AppendJsonString(message.client, out);
  fmt::format_to(std::back_inserter(out),
                 FMT_COMPILE(",\"ts\":\"{:04}-{:02}-{:02} {:02}:{:02}:{:02}\",\"temperature\":"),
                 static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()),
                 time.hours().count(),
                 time.minutes().count(),
                 time.seconds().count());
  AppendValue(message.temperature_celsius, out);
  out.append(",\"humidity\":");
  AppendValue(message.humidity_percent, out);
  out.push_back('}');
}

}  // namespace slipstream::producer
