#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "processor/columns/column.h"
#include "processor/expr/row_errors.h"
#include "processor/planner/plan.h"
#include "processor/types/date_time.h"
#include "processor/types/time_zone.h"

namespace slipstream::sql {

// Windows are computed with times up to here, so that nothing overflows: some 146,000 years.
inline constexpr int64_t kWindowTimeMax = int64_t{1} << 62;

// The times by which rows are put into windows: of instants what clocks in the zone show. Borrows
// the column.
class WindowTimes {
 public:
  WindowTimes(const TimeZone* zone, const Column& column) : times_(column.ints.data()) {
    if (zone == nullptr) return;
    local_.reserve(column.ints.size());
    for (const int64_t instant : column.ints)
      local_.push_back(zone->ToLocal(instant));
    times_ = local_.data();
  }
  WindowTimes(const WindowTimes&) = delete;
  WindowTimes& operator=(const WindowTimes&) = delete;

  int64_t operator[](size_t row) const { return times_[row]; }

 private:
  const int64_t* times_;
  std::vector<int64_t> local_;
};

// The rows that are in no window, since their time is NULL or beyond kWindowTimeMax.
inline RowErrors CheckWindowTimes(const Column& times) {
  RowErrors errors;
  for (size_t row = 0; row < times.ints.size(); ++row) {
    if (times.is_null(row)) {
      errors.Add(row, "the window's time is NULL");
    } else if (times.ints[row] > kWindowTimeMax || times.ints[row] < -kWindowTimeMax) {
      errors.Add(row, "the window's time is out of range");
    }
  }
  return errors;
}

// Which windows a time lies in. Windows are [start, end); ends identify them: for a given end the
// start follows.

// The first and the last of the ends of the windows that `time` lies in; between them the ends are
// `step` apart. None if first > last: windows that hop further than they reach leave gaps.
struct WindowEnds {
  int64_t first = 0;
  int64_t last = 0;
  int64_t step = 1;
};

// Tumbling, hopping and cumulating windows. `time` within 2^62 of 1970, which every TIMESTAMP is.
inline WindowEnds AssignWindows(const WindowSpec& window, int64_t time) {
  switch (window.kind) {
    case WindowSpec::Kind::kHop: {
      const int64_t last_start = time - FloorModulo(time - window.offset_us, window.slide_us);
      // The earliest start is the first one after time - size; -1: even the last is too early.
      const int64_t earlier =
          FloorDivide(window.size_us - (time - last_start) - 1, window.slide_us);
      return {.first = last_start - earlier * window.slide_us + window.size_us,
              .last = last_start + window.size_us,
              .step = window.slide_us};
    }
    case WindowSpec::Kind::kCumulate: {
      const int64_t start = time - FloorModulo(time - window.offset_us, window.size_us);
      const int64_t steps = (time - start) / window.slide_us + 1;
      return {.first = start + steps * window.slide_us,
              .last = start + window.size_us,
              .step = window.slide_us};
    }
    case WindowSpec::Kind::kAttached:
      return {.first = time, .last = time, .step = 1};
    default: {
      const int64_t start = time - FloorModulo(time - window.offset_us, window.size_us);
      return {.first = start + window.size_us, .last = start + window.size_us, .step = 1};
    }
  }
}

// The width of slices: stretches of time, from the window's offset on, that no window begins or
// ends within, so that all times of a slice lie in the same windows. 1 for windows that rows have
// already, and for sessions: every time is a slice of its own.
inline int64_t SliceWidth(const WindowSpec& window) {
  switch (window.kind) {
    case WindowSpec::Kind::kHop:
      return std::gcd(window.size_us, window.slide_us);
    case WindowSpec::Kind::kCumulate:
      return window.slide_us;
    case WindowSpec::Kind::kAttached:
    case WindowSpec::Kind::kSession:
      return 1;
    default:
      return window.size_us;
  }
}

// The first time of the slice that `time` lies in, as far as windows are computed.
inline int64_t SliceStart(const WindowSpec& window, int64_t width, int64_t time) {
  return std::max(time - FloorModulo(time - window.offset_us, width), -kWindowTimeMax);
}

inline int64_t WindowStart(const WindowSpec& window, int64_t end) {
  if (window.kind == WindowSpec::Kind::kCumulate) {
    // The greatest window's end may be this one: look from just before it.
    return end - 1 - FloorModulo(end - 1 - window.offset_us, window.size_us);
  }
  return end - window.size_us;
}

// The last instant, in milliseconds, that belongs to the window; it has fired once the watermark
// is there.
inline int64_t WindowMaxTime(int64_t end) {
  // Ends that were read back may be anything.
  return std::max(end, std::numeric_limits<int64_t>::min() + kMicrosPerMilli) - kMicrosPerMilli;
}

// A property of the window [start, end).
inline int64_t PropertyOf(const WindowSpec& window,
                          WindowProperty property,
                          int64_t start,
                          int64_t end) {
  if (property == WindowProperty::kStart) return start;
  if (property == WindowProperty::kEnd) return end;
  return window.zone ? window.zone->LastInstant(WindowMaxTime(end)) : WindowMaxTime(end);
}

// Whether AssignWindows can have given such an end.
inline bool IsWindowEnd(const WindowSpec& window, int64_t end) {
  return end >= -kWindowTimeMax &&
         (end <= kWindowTimeMax || end - kWindowTimeMax <= window.size_us);
}

}  // namespace slipstream::sql
