#include "producer/pacing/pacer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace slipstream::producer {

Result<double> ParseSpeed(std::string_view text) {
  constexpr double kSpeedMax = 1e6;
  if (text == "max") return kMaxSpeed;
  std::string_view digits = text;
  if (digits.ends_with('x')) digits.remove_suffix(1);
  double speed = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), speed);
  bool is_number = error == std::errc() && end == digits.data() + digits.size();
  if (!is_number || !std::isfinite(speed) || speed <= 0 || speed > kSpeedMax) {
    return InvalidArgument("speed is `max` or a factor like 1x or 3600x, not " + std::string(text));
  }
  return speed;
}

SteadyTime Pacer::NextDue(EventTime event_time, SteadyTime now) {
  using Seconds = std::chrono::duration<double>;
  if (!start_) {
    start_ = now;
    first_event_ = event_time;
  }
  SteadyTime due = *start_;
  if (options_.speed != kMaxSpeed && event_time > first_event_) {
    Seconds distance = event_time - first_event_;
    due += std::chrono::duration_cast<SteadyTime::duration>(distance / options_.speed);
  }
  if (options_.rows_per_second > 0) {
    Seconds share(static_cast<double>(count_) / static_cast<double>(options_.rows_per_second));
    due = std::max(due, *start_ + std::chrono::duration_cast<SteadyTime::duration>(share));
  }
  ++count_;
  return due;
}

}  // namespace slipstream::producer
