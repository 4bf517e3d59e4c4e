#include "producer/sensors/reading.h"

#include <cmath>
#include <cstdint>
#include <iterator>

#include <fmt/compile.h>
#include <fmt/format.h>

#include "producer/json/json_text.h"

namespace slipstream::producer {
namespace {

using Time = std::chrono::local_time<std::chrono::milliseconds>;

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

// "2024-05-12 02:11:37", with whatever stands between date and time.
void AppendSeconds(Time time, char separator, std::string& out) {
  auto midnight = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(midnight);
  std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - midnight));
  fmt::format_to(std::back_inserter(out),
                 FMT_COMPILE("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}"),
                 static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()),
                 separator,
                 clock.hours().count(),
                 clock.minutes().count(),
                 clock.seconds().count());
}

void AppendMilliseconds(Time time, char separator, std::string& out) {
  AppendSeconds(time, separator, out);
  auto fraction = time - std::chrono::floor<std::chrono::seconds>(time);
  fmt::format_to(std::back_inserter(out), FMT_COMPILE(".{:03}"), fraction.count());
}

void AppendTemperatureAndHumidity(const Reading& reading, std::string& out) {
  out.append(",\"temperature\":");
  AppendValue(reading.temperature_celsius, out);
  out.append(",\"humidity\":");
  AppendValue(reading.humidity_percent, out);
}

}  // namespace

void AppendWeatherJson(const Reading& reading, std::string& out) {
  out.append("{\"client\":");
  AppendJsonString(reading.device, out);
  out.append(",\"ts\":\"");
  AppendSeconds(reading.time, ' ', out);
  out.push_back('"');
  AppendTemperatureAndHumidity(reading, out);
  out.push_back('}');
}

void AppendIotJson(const Reading& reading, std::string& out) {
  out.append("{\"device_id\":");
  AppendJsonString(reading.device, out);
  out.append(",\"timestamp\":\"");
  AppendMilliseconds(reading.time, ' ', out);
  out.push_back('"');
  AppendTemperatureAndHumidity(reading, out);
  out.append(reading.has_low_battery ? ",\"status\":\"low_battery\"}" : ",\"status\":\"active\"}");
}

void AppendAlertsJson(const Reading& reading, std::string& out) {
  out.append("{\"deviceId\":");
  AppendJsonString(reading.device, out);
  AppendTemperatureAndHumidity(reading, out);
  fmt::format_to(std::back_inserter(out),
                 FMT_COMPILE(",\"timestamp\":{}}}"),
                 reading.time.time_since_epoch().count());
}

void AppendTemperatureJson(const Reading& reading, std::string& out) {
  out.append("{\"producer\":");
  AppendJsonString(reading.site, out);
  out.append(",\"timestamp\":\"");
  AppendMilliseconds(reading.time, 'T', out);
  out.append("Z\",\"sensor_id\":");
  AppendJsonString(reading.device, out);
  out.append(",\"temperature\":");
  AppendValue(reading.temperature_celsius, out);
  out.push_back('}');
}

}  // namespace slipstream::producer
