#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"

namespace slipstream::sql {

// DatePattern: a Java date-time pattern, such as "yyyy-MM-dd HH:mm:ss.SSS", made ready. Letters:
// y u (year), M L (month; MMM its English short name), d (day), D (day of year, written only),
// H (0-23), k (1-24), h (1-12), K (0-11), a (AM/PM), m, s, S (fraction), E (weekday, written only);
// 'text' and every other character stand for themselves.
// Threads: immutable.
class DatePattern {
 public:
  // kInvalidArgument: a letter that is not listed above, one more than 18 times in a row, or an
  // open quote.
  static Result<DatePattern> Parse(std::string_view pattern);

  // Appends `micros` (since 1970-01-01 00:00) to `to`.
  void Format(int64_t micros, std::string& to) const;
  // All of `text`; what the pattern does not give is 1970-01-01 00:00. nullopt: it does not match,
  // or there is no such date.
  std::optional<int64_t> Read(std::string_view text) const;

 private:
  struct Part {
    char letter = 0;  // 0: `literal`
    size_t count = 0;
    std::string literal;
  };
  struct Fields;
  static bool ReadPart(const Part& part,
                       std::string_view& text,
                       bool is_before_digits,
                       Fields& fields);

  std::vector<Part> parts_;
};

}  // namespace slipstream::sql
