#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

// What a sensor has to say, and how the topics that people have spell it. In all spellings values
// have at most two decimals and are null where missing.

namespace slipstream::producer {

struct Reading {
  std::string_view device;
  std::string_view site;  // where the device is; only temperatures say so, as their producer
  std::chrono::local_time<std::chrono::milliseconds> time;
  std::optional<double> temperature_celsius;
  std::optional<double> humidity_percent;
  bool has_low_battery = false;
};

// {"client":"…","ts":"2024-05-12 02:11:37","temperature":21.5,"humidity":48.2}: whole seconds, the
// rest is cut off.
void AppendWeatherJson(const Reading& reading, std::string& out);

// {"device_id":"…","timestamp":"2024-05-12 02:11:37.250","temperature":21.5,"humidity":48.2,
// "status":"active"}, or "low_battery".
void AppendIotJson(const Reading& reading, std::string& out);

// {"deviceId":"…","temperature":21.5,"humidity":48.2,"timestamp":1715479897250}: milliseconds since
// 1970, so the reading's time has to be UTC.
void AppendAlertsJson(const Reading& reading, std::string& out);

// {"producer":"…","timestamp":"2024-05-12T02:11:37.250Z","sensor_id":"…","temperature":21.5}; the
// reading's time has to be UTC.
void AppendTemperatureJson(const Reading& reading, std::string& out);

}  // namespace slipstream::producer
