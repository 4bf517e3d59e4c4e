#include "producer/sensors/weather_simulator.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include <fmt/format.h>

#include "common/check/check.h"
#include "producer/sensors/weather_message.h"

namespace slipstream::producer {

WeatherSimulator::WeatherSimulator(const Options& options) : random_(options.seed, 0) {
  SLIPSTREAM_CHECK(options.devices > 0 && !options.intervals.empty(), "no device or no interval");
  for (size_t i = 0; i < options.devices; ++i) {
    devices_.push_back({.name = fmt::format("station-{:03}", i + 1),
                        .interval = options.intervals[i % options.intervals.size()],
                        .mean_celsius = 4 + random_.Unit() * 20,
                        .swing_celsius = 3 + random_.Unit() * 5,
                        .mean_humidity = 45 + random_.Unit() * 30});
    due_.push_back({options.start, i});
  }
}

Result<bool> WeatherSimulator::Next(Record& record) {
  constexpr double kWarmestHour = 15;
  std::pop_heap(due_.begin(), due_.end(), std::greater<>());
  Due& due = due_.back();
  Device& device = devices_[due.device];

  std::chrono::duration<double, std::ratio<3600>> hour =
      due.time - std::chrono::floor<std::chrono::days>(due.time);
  double day = std::cos((hour.count() - kWarmestHour) / 24 * 2 * std::numbers::pi);
  device.wander = device.wander * 0.98 + random_.Bell(0.15);
  double celsius = device.mean_celsius + device.swing_celsius * day + device.wander;
  double humidity = device.mean_humidity - 18 * day - 2 * device.wander + random_.Bell(0.4);

  json_.clear();
  AppendJson(WeatherMessage{.client = device.name,
                            .time = due.time,
                            .temperature_celsius = celsius,
                            .humidity_percent = std::clamp(humidity, 3.0, 100.0)},
             json_);
  record = {.key = device.name, .value = json_, .event_time = due.time, .id = next_id_++};
  due.time += device.interval;
  std::push_heap(due_.begin(), due_.end(), std::greater<>());
  return true;
}

}  // namespace slipstream::producer
