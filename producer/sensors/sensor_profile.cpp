#include "producer/sensors/sensor_profile.h"

#include <algorithm>

namespace slipstream::producer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWeatherIntervals[] = {
    milliseconds(2'000), milliseconds(5'000), milliseconds(10'000)};
constexpr milliseconds kEverySecond[] = {milliseconds(1'000)};
constexpr milliseconds kEveryFiveSeconds[] = {milliseconds(5'000)};

constexpr SensorProfile kProfiles[] = {
    {.name = "weather",
     .topic = "weather_data",
     .device = "station",
     .intervals = kWeatherIntervals,
     .is_utc = false,
     .mean_celsius = {4, 24},
     .swing_celsius = {3, 8},
     .append_json = AppendWeatherJson},
    {.name = "iot",
     .topic = "iot_sensor_data",
     .device = "device",
     .intervals = kEverySecond,
     .is_utc = false,
     .mean_celsius = {18, 26},
     .swing_celsius = {0.5, 2},
     .append_json = AppendIotJson},
    // Some of these devices are above 30 degrees always, some never, some for a part of the day.
    {.name = "alerts",
     .topic = "iot-raw-data",
     .device = "device",
     .intervals = kEverySecond,
     .is_utc = true,
     .mean_celsius = {22, 34},
     .swing_celsius = {1, 3},
     .append_json = AppendAlertsJson},
    {.name = "temperature",
     .topic = "temperature",
     .device = "sensor",
     .intervals = kEveryFiveSeconds,
     .is_utc = true,
     .mean_celsius = {15, 25},
     .swing_celsius = {1, 4},
     .append_json = AppendTemperatureJson},
};

}  // namespace

std::span<const SensorProfile> SensorProfiles() {
  return kProfiles;
}

const SensorProfile* FindSensorProfile(std::string_view name) {
  const SensorProfile* found = std::find_if(
      std::begin(kProfiles), std::end(kProfiles), [name](const SensorProfile& profile) {
        return profile.name == name;
      });
  return found == std::end(kProfiles) ? nullptr : found;
}

}  // namespace slipstream::producer
