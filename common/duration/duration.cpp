#include "common/duration/duration.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

namespace slipstream {

using std::chrono::milliseconds;

Result<milliseconds> ParseDuration(std::string_view text) {
  constexpr milliseconds kMax = std::chrono::weeks(1);
  double count = 0;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), count, std::chars_format::fixed);
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  double unit_ms = unit == "ms"                  ? 1
                   : unit == "s" || unit.empty() ? 1'000
                   : unit == "m"                 ? 60'000
                   : unit == "h"                 ? 3'600'000
                                                 : 0;
  double duration_ms = std::ceil(count * unit_ms);
  bool is_valid =
      error == std::errc() && duration_ms > 0 && duration_ms <= static_cast<double>(kMax.count());
  if (!is_valid) {
    return InvalidArgument("a duration is like 500ms, 2s, 5m or 1h, up to a week, not " +
                           std::string(text));
  }
  return milliseconds(static_cast<int64_t>(duration_ms));
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

}  // namespace slipstream
