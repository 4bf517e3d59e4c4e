#include "producer/pacing/duration.h"

#include <charconv>
#include <cstdint>
#include <string>

namespace slipstream::producer {

using std::chrono::milliseconds;

Result<milliseconds> ParseDuration(std::string_view text) {
  constexpr milliseconds kMax = std::chrono::weeks(1);
  int64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  int64_t unit_ms = unit == "ms"  ? 1
                    : unit == "s" ? 1'000
                    : unit == "m" ? 60'000
                    : unit == "h" ? 3'600'000
                                  : 0;
  bool is_valid =
      error == std::errc() && unit_ms > 0 && count > 0 && count <= kMax.count() / unit_ms;
  if (!is_valid) {
    return InvalidArgument("a duration is like 500ms, 2s, 5m or 1h, up to a week, not " +
                           std::string(text));
  }
  return milliseconds(count * unit_ms);
}

Result<std::vector<milliseconds>> ParseDurations(std::string_view text) {
  std::vector<milliseconds> durations;
  while (true) {
    size_t comma = text.find(',');
    ASSIGN_OR_RETURN(milliseconds duration, ParseDuration(text.substr(0, comma)));
    durations.push_back(duration);
    if (comma == std::string_view::npos) return durations;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace slipstream::producer
