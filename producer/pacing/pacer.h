#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/clock/clock.h"
#include "common/status/status.h"

namespace slipstream::producer {

// How fast event time goes by compared to the clock on the wall: 1 is as it happened, 3600 an hour
// in a second, kMaxSpeed without waiting.
inline constexpr double kMaxSpeed = 0;

// "max", "1x", "3600x", "0.5x"; the x may be left out. At most a million.
Result<double> ParseSpeed(std::string_view text);

// Pacer: when each record is due. The first is due at once; every other when, since then, its
// event time's distance from the first's has gone by at `speed`, and not before the records ahead
// of it have had their time at `rows_per_second`. Event times that go back are due at once.
//
// Pure: takes the time as an argument, and waits for nothing.
class Pacer final {
 public:
  using EventTime = std::chrono::local_time<std::chrono::milliseconds>;

  struct Options {
    double speed = kMaxSpeed;
    uint64_t rows_per_second = 0;  // 0: as many as there are
  };

  explicit Pacer(const Options& options) : options_(options) {}

  // Whether records ever have to wait. If not, nobody needs to ask.
  bool waits() const { return options_.speed != kMaxSpeed || options_.rows_per_second > 0; }

  // When the next record, which has this event time, is due. To be called once for each.
  SteadyTime NextDue(EventTime event_time, SteadyTime now);

 private:
  const Options options_;
  std::optional<SteadyTime> start_;
  EventTime first_event_;
  uint64_t count_ = 0;
};

}  // namespace slipstream::producer
