#include "producer/sensors/time_text.h"

#include <charconv>
#include <cstddef>

namespace slipstream::producer {

using Time = std::chrono::local_time<std::chrono::milliseconds>;

std::optional<Time> ParseTime(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd";
  if (text.size() != kForm.size()) return std::nullopt;
  for (size_t i = 0; i < kForm.size(); ++i) {
    bool is_digit = text[i] >= '0' && text[i] <= '9';
    bool fits = kForm[i] == 'd'   ? is_digit
                : kForm[i] == 'T' ? text[i] == 'T' || text[i] == ' '
                                  : text[i] == kForm[i];
    if (!fits) return std::nullopt;
  }
  auto number = [text](size_t begin, size_t count) {
    int value = 0;
    std::from_chars(text.data() + begin, text.data() + begin + count, value);
    return value;
  };
  std::chrono::year_month_day date(std::chrono::year(number(0, 4)),
                                   std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                   std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) {
    return std::nullopt;
  }
  return std::chrono::local_days(date) + std::chrono::hours(number(11, 2)) +
         std::chrono::minutes(number(14, 2)) + std::chrono::seconds(number(17, 2));
}

}  // namespace slipstream::producer
