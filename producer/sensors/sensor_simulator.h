#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "producer/pipeline/record.h"
#include "producer/sensors/sensor_profile.h"
#include "producer/synthetic/random.h"

namespace slipstream::producer {

// SensorSimulator: sensors that report for ever, each at its own interval, in the order of their
// times. A sensor has its climate, follows the day (coldest before dawn, most humid then too),
// wanders a little around it, and does not measure quite exactly. The same options give the same
// messages.
//
// Load       sensors do not report in step: their first reports are spread over the interval, so
//            that a thousand of them are a steady stream and not a burst every few seconds.
// Anomalies  a share of the readings is off by kAnomalyCelsiusMin to kAnomalyCelsiusMax, up or
//            down, for that one reading; their records are marked. A sensor's first
//            kWarmUpReadings have none: whoever judges a sensor by its past has to have one.
//            Everything else is the same with anomalies and without.
// Threads    one user at a time. All sensors are entries of one heap.
class SensorSimulator final : public RecordSource {
 public:
  static constexpr size_t kDevicesMax = 1'000'000;
  static constexpr uint32_t kWarmUpReadings = 60;
  static constexpr double kAnomalyCelsiusMin = 8;
  static constexpr double kAnomalyCelsiusMax = 20;

  struct Options {
    const SensorProfile* profile = &SensorProfiles().front();
    size_t devices = 3;
    // Taken in turn: with 2s,5s,10s the first device reports every 2 s, the fourth too. Empty: the
    // profile's.
    std::vector<std::chrono::milliseconds> intervals;
    std::chrono::local_time<std::chrono::milliseconds> start;  // on the clocks of the profile
    uint64_t seed = 1;
    double anomaly_ratio = 0;
  };

  explicit SensorSimulator(const Options& options);

  Result<bool> Next(Record& record) override;

 private:
  using Time = std::chrono::local_time<std::chrono::milliseconds>;

  struct Device {
    std::string name;
    std::string site;
    std::chrono::milliseconds interval;
    double mean_celsius;
    double swing_celsius;
    double mean_humidity;
    bool has_low_battery;
    double wander = 0;
    uint32_t readings = 0;  // stops counting when it has warmed up
  };
  // When a device reports next. Ties go to the one made first.
  struct Due {
    Time time;
    size_t device = 0;
    auto operator<=>(const Due&) const = default;
  };

  Reading Read(Device& device, Time time);
  // Whether the device's reading, the next one, is to be off.
  bool IsAnomalyDue(Device& device);

  const SensorProfile& profile_;
  const double anomaly_ratio_;
  std::vector<Device> devices_;
  std::vector<Due> due_;  // a heap, earliest first
  synthetic::Random random_;
  synthetic::Random anomalies_;
  std::string json_;
  int64_t next_id_ = 0;
};

}  // namespace slipstream::producer
