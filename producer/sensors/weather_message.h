#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace slipstream::producer {

// One reading of a weather station, as the topic `weather_data` has it.
struct WeatherMessage {
  std::string_view client;
  std::chrono::local_time<std::chrono::milliseconds> time;  // whole seconds are sent
  std::optional<double> temperature_celsius;
  std::optional<double> humidity_percent;
};

// Appends {"client":"…","ts":"2024-05-12 02:11:37","temperature":21.5,"humidity":48.2}: values
// with at most two decimals, null where missing.
void AppendJson(const WeatherMessage& message, std::string& out);

}  // namespace slipstream::producer
