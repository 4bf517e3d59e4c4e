#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <absl/time/time.h>

namespace slipstream::sql {

class TimeZone;
using TimeZonePtr = std::shared_ptr<const TimeZone>;

// TimeZone: what clocks show at an instant, and when they show it. Instants are microseconds since
// 1970 UTC; a local time is what the microseconds would be if the clocks were those of UTC.
//
// Ends        INT64_MIN and INT64_MAX, which stand for no time yet and for the end, stay.
// Threads     immutable.
class TimeZone {
 public:
  // By a name ("Europe/Oslo"), one of Java's abbreviations ("PST") or a distance ("GMT-08:00");
  // nullptr: there is none.
  static TimeZonePtr Find(std::string_view name);

  const std::string& name() const { return name_; }
  bool is_utc() const { return is_utc_; }

  int64_t ToLocal(int64_t instant) const;
  // Of a time that clocks show twice the first instant; one that they skip is counted on from
  // before the gap. As Java has it.
  int64_t ToInstant(int64_t local) const;

  // The last instant at which clocks show no later time than `local`.
  int64_t LastInstant(int64_t local) const;
  // The time that clocks have left behind for good once `instant` is over: what they show at later
  // instants is later. LastInstant is the first instant with which that is so.
  int64_t Passed(int64_t instant) const;

  TimeZone(std::string name, absl::TimeZone zone);

 private:
  const std::string name_;
  const absl::TimeZone zone_;
  const bool is_utc_;
};

}  // namespace slipstream::sql
