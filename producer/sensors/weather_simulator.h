#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "producer/pipeline/record.h"
#include "producer/synthetic/random.h"

namespace slipstream::producer {

// WeatherSimulator: weather stations that report for ever, each at its own interval, in the order
// of their times. A station has its climate, follows the day (coldest before dawn, most humid
// then too) and wanders a little around it. The same seed and start give the same messages.
class WeatherSimulator final : public RecordSource {
 public:
  static constexpr size_t kDevicesMax = 1'000'000;

  struct Options {
    size_t devices = 3;
    // Taken in turn: with 2s,5s,10s the first device reports every 2 s, the fourth too.
    std::vector<std::chrono::milliseconds> intervals{
        std::chrono::seconds(2), std::chrono::seconds(5), std::chrono::seconds(10)};
    std::chrono::local_time<std::chrono::milliseconds> start;
    uint64_t seed = 1;
  };

  explicit WeatherSimulator(const Options& options);

  Result<bool> Next(Record& record) override;

 private:
  using Time = std::chrono::local_time<std::chrono::milliseconds>;

  struct Device {
    std::string name;
    std::chrono::milliseconds interval;
    double mean_celsius;
    double swing_celsius;  // half the way from the day's coldest to its warmest
    double mean_humidity;
    double wander = 0;
  };
  // When a device reports next. Ties go to the one made first.
  struct Due {
    Time time;
    size_t device;
    auto operator<=>(const Due&) const = default;
  };

  std::vector<Device> devices_;
  std::vector<Due> due_;  // a heap, earliest first
  synthetic::Random random_;
  std::string json_;
  int64_t next_id_ = 0;
};

}  // namespace slipstream::producer
