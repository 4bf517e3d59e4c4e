#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "producer/sensors/reading.h"

namespace slipstream::producer {

// SensorProfile: a kind of sensors that people have: where they are, how often they report, and
// what their messages look like. The profiles are constants; there are no others.
struct SensorProfile {
  struct Range {
    double min;
    double max;
  };

  std::string_view name;
  std::string_view topic;                                // unless another is asked for
  std::string_view device;                               // devices are called so, with a number
  std::span<const std::chrono::milliseconds> intervals;  // between reports, taken in turn
  bool is_utc;                                           // otherwise times are local
  Range mean_celsius;                                    // a device's, over a day
  Range swing_celsius;  // half the way from the day's coldest to its warmest
  void (*append_json)(const Reading& reading, std::string& out);
};

std::span<const SensorProfile> SensorProfiles();
// Null if no profile is called so.
const SensorProfile* FindSensorProfile(std::string_view name);

}  // namespace slipstream::producer
