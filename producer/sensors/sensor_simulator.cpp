#include "producer/sensors/sensor_simulator.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include <fmt/format.h>

#include "common/check/check.h"

namespace slipstream::producer {
namespace {

constexpr size_t kDevicesPerSite = 100;

// How far into its interval a device reports, of 1: by the golden ratio, which spreads any number
// of devices evenly.
double Phase(size_t device) {
  double turns = static_cast<double>(device) * (std::numbers::phi - 1);
  return turns - std::floor(turns);
}

double Within(const SensorProfile::Range& range, synthetic::Random& random) {
  return range.min + random.Unit() * (range.max - range.min);
}

}  // namespace

SensorSimulator::SensorSimulator(const Options& options)
    : profile_(*options.profile),
      anomaly_ratio_(options.anomaly_ratio),
      random_(options.seed, 0),
      anomalies_(options.seed, 1) {
  SLIPSTREAM_CHECK(options.devices > 0, "a simulation without devices");
  std::vector<std::chrono::milliseconds> intervals = options.intervals;
  if (intervals.empty()) intervals.assign(profile_.intervals.begin(), profile_.intervals.end());
  devices_.reserve(options.devices);
  for (size_t i = 0; i < options.devices; ++i) {
    devices_.push_back({.name = fmt::format("{}-{:03}", profile_.device, i + 1),
                        .site = fmt::format("producer-{:02}", i / kDevicesPerSite + 1),
                        .interval = intervals[i % intervals.size()],
                        .mean_celsius = Within(profile_.mean_celsius, random_),
                        .swing_celsius = Within(profile_.swing_celsius, random_),
                        .mean_humidity = 45 + random_.Unit() * 30,
                        .has_low_battery = random_.Chance(0.05)});
    auto phase = std::chrono::duration<double, std::milli>(devices_[i].interval) * Phase(i);
    due_.push_back({options.start + std::chrono::floor<std::chrono::milliseconds>(phase), i});
  }
  std::make_heap(due_.begin(), due_.end(), std::greater<>());
}

Reading SensorSimulator::Read(Device& device, Time time) {
  constexpr double kWarmestHour = 15;
  std::chrono::duration<double, std::ratio<3600>> hour =
      time - std::chrono::floor<std::chrono::days>(time);
  double day = std::cos((hour.count() - kWarmestHour) / 24 * 2 * std::numbers::pi);
  device.wander = device.wander * 0.98 + random_.Bell(0.05);
  double celsius =
      device.mean_celsius + device.swing_celsius * day + device.wander + random_.Bell(0.15);
  double humidity = device.mean_humidity - 18 * day - 2 * device.wander + random_.Bell(0.4);
  return {.device = device.name,
          .site = device.site,
          .time = time,
          .temperature_celsius = celsius,
          .humidity_percent = std::clamp(humidity, 3.0, 100.0),
          .has_low_battery = device.has_low_battery};
}

bool SensorSimulator::IsAnomalyDue(Device& device) {
  if (anomaly_ratio_ <= 0) return false;
  if (device.readings < kWarmUpReadings) {
    ++device.readings;
    return false;
  }
  return anomalies_.Chance(anomaly_ratio_);
}

Result<bool> SensorSimulator::Next(Record& record) {
  std::pop_heap(due_.begin(), due_.end(), std::greater<>());
  Due& due = due_.back();
  Device& device = devices_[due.device];
  Reading reading = Read(device, due.time);
  bool is_anomaly = IsAnomalyDue(device);
  if (is_anomaly) {
    double size = Within({kAnomalyCelsiusMin, kAnomalyCelsiusMax}, anomalies_);
    *reading.temperature_celsius += anomalies_.Chance(0.5) ? size : -size;
  }
  json_.clear();
  profile_.append_json(reading, json_);
  record = {.key = device.name,
            .value = json_,
            .event_time = due.time,
            .id = next_id_++,
            .planted = is_anomaly ? Planted::kAnomaly : Planted::kNothing};
  due.time += device.interval;
  std::push_heap(due_.begin(), due_.end(), std::greater<>());
  return true;
}

}  // namespace slipstream::producer
