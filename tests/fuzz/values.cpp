#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/check/check.h"
#include "common/duration/duration.h"
#include "common/failpoint/failpoint.h"
#include "common/log/log.h"
#include "common/net/host_port.h"
#include "processor/expr/date_pattern.h"
#include "processor/planner/table_options.h"
#include "processor/types/date_time.h"
#include "processor/types/decimal.h"
#include "processor/types/number_text.h"
#include "processor/types/utf8.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"

// Small things that stand in texts: numbers, times, sizes, addresses. What was read and is written
// again reads as the same; arithmetic agrees with plainer arithmetic where that has the range.

namespace slipstream::fuzz {
namespace {

using sql::Int128;

void CheckTimes(std::string_view text) {
  if (const auto days = sql::ParseDate(text)) {
    SLIPSTREAM_CHECK(sql::ParseDate(sql::FormatDate(*days)) == days, "{}", *days);
    const sql::CivilDate civil = sql::CivilFromDays(*days);
    SLIPSTREAM_CHECK(sql::DaysFromCivil(civil) == *days, "{}", *days);
    SLIPSTREAM_CHECK(civil.day <= sql::DaysInMonth(civil.year, civil.month), "{}", *days);
  }
  if (const auto time = sql::ParseTimeOfDay(text)) {
    SLIPSTREAM_CHECK(*time >= 0 && *time < sql::kMicrosPerDay, "{}", *time);
    SLIPSTREAM_CHECK(sql::ParseTimeOfDay(sql::FormatTimeOfDay(*time, 6)) == time, "{}", *time);
  }
  if (const auto micros = sql::ParseTimestamp(text)) {
    for (const char separator : {' ', 'T'}) {
      const std::string again = sql::FormatTimestamp(*micros, 6, separator);
      SLIPSTREAM_CHECK(sql::ParseTimestamp(again) == micros, "{}", again);
    }
  }
}

void CheckNumbers(std::string_view text) {
  if (const auto number = sql::ParseDouble(text); number && !std::isnan(*number)) {
    const std::string again = sql::FormatDouble(*number);
    SLIPSTREAM_CHECK(sql::ParseDouble(again) == number, "{}", again);
  }
  if (const auto number = sql::ParseInteger(text)) {
    SLIPSTREAM_CHECK(sql::ParseInteger(std::to_string(*number)) == number, "{}", *number);
  }
  (void)sql::ParseBoolean(text);
  for (const int32_t scale : {0, 2, 18, 38}) {
    bool is_number = false;
    const auto decimal = sql::ParseDecimal(text, scale, &is_number);
    if (!decimal) continue;
    SLIPSTREAM_CHECK(is_number && sql::FitsPrecision(*decimal, 38), "beyond 38 digits");
    const std::string again = sql::FormatDecimal(*decimal, scale);
    SLIPSTREAM_CHECK(sql::ParseDecimal(again, scale) == decimal, "{}", again);
  }
}

// Against arithmetic in 128 bits, where that is wide enough.
void CheckDecimals(InputReader& reader) {
  const auto a = static_cast<int64_t>(reader.Number());
  const auto b = static_cast<int64_t>(reader.Number());
  const auto divisor = static_cast<int64_t>(reader.Number());
  if (divisor != 0) {
    const Int128 product = Int128{a} * b;
    Int128 wanted = product / divisor;
    const Int128 rest = product % divisor;
    const Int128 twice = 2 * (rest < 0 ? -rest : rest);
    const Int128 size = divisor < 0 ? -Int128{divisor} : Int128{divisor};
    if (twice >= size) wanted += (product < 0) == (divisor < 0) ? 1 : -1;
    const auto result = sql::MultiplyDivide(a, b, divisor);
    SLIPSTREAM_CHECK(
        result.has_value() == sql::FitsPrecision(wanted, 38), "{} {} {}", a, b, divisor);
    if (result) SLIPSTREAM_CHECK(*result == wanted, "{} {} {}", a, b, divisor);
  }
  // Up and down again is where it was.
  const auto from = static_cast<int32_t>(reader.Below(39));
  const auto to = static_cast<int32_t>(reader.Below(39));
  const auto rescaled = sql::Rescale(a, from, to);
  if (rescaled && to >= from) SLIPSTREAM_CHECK(sql::Rescale(*rescaled, to, from) == a, "{}", a);
  const double real = static_cast<double>(a) / static_cast<double>(1 + reader.Byte());
  (void)sql::DecimalFromDouble(real, to);
  (void)sql::AddMonthsToDays(a % 3'000'000, b % 120'000);
}

void CheckPattern(InputReader& reader) {
  const auto pattern = sql::DatePattern::Parse(reader.Text());
  if (!pattern.ok()) return;
  // Years 0001 to 9999.
  constexpr int64_t kFirst = -62'135'596'800'000'000;
  constexpr int64_t kCount = 315'537'897'600'000'000;
  const auto micros = static_cast<int64_t>(reader.Take<uint64_t>() % kCount) + kFirst;
  std::string text;
  pattern->Format(micros, text);
  for (const std::string_view read : {std::string_view(text), reader.Rest()}) {
    const auto found = pattern->Read(read);
    SLIPSTREAM_CHECK(!found || (*found >= kFirst && *found - kFirst < kCount), "{}", *found);
  }
}

void CheckWords(std::string_view text) {
  if (const auto address = ParseHostPort(text); address.ok()) {
    const auto again = ParseHostPort(address->ToString());
    SLIPSTREAM_CHECK(again.ok() && *again == *address, "{}", address->ToString());
    (void)IsLoopback(address->host);
  }
  if (const auto duration = ParseDuration(text); duration.ok()) {
    SLIPSTREAM_CHECK(duration->count() > 0 && *duration <= std::chrono::weeks(1), "duration");
  }
  (void)ParseDurations(text);
  if (const auto duration = sql::ParseDuration(text); duration.ok()) {
    SLIPSTREAM_CHECK(duration->count() >= 0, "duration");
  }
  (void)sql::ParseMemorySize(text);
  const std::string quoted = log::Quoted(text);
  for (const char c : quoted)
    SLIPSTREAM_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a raw control character");
  // Nothing hits a failpoint here.
  (void)failpoint::Configure(text);
  (void)failpoint::Configure("");
}

void CheckUtf8(std::string_view text) {
  const size_t characters = sql::CountCharacters(text);
  SLIPSTREAM_CHECK(sql::BytesOfCharacters(text, characters) == text.size(), "{}", characters);
  size_t bytes = 0;
  for (size_t i = 0; i < characters; ++i)
    bytes += sql::CharacterBytes(text.substr(bytes));
  SLIPSTREAM_CHECK(bytes == text.size(), "{} bytes", bytes);
  if (sql::IsAscii(text)) SLIPSTREAM_CHECK(sql::IsValidUtf8(text), "ASCII is UTF-8");
}

enum Kind : uint8_t { kTimes, kNumbers, kDecimals, kPattern, kWords, kUtf8, kKinds };

void Run(std::string_view input) {
  InputReader reader(input);
  switch (reader.Byte() % kKinds) {
    case kTimes:
      return CheckTimes(reader.Rest());
    case kNumbers:
      return CheckNumbers(reader.Rest());
    case kDecimals:
      return CheckDecimals(reader);
    case kPattern:
      return CheckPattern(reader);
    case kWords:
      return CheckWords(reader.Rest());
    default:
      return CheckUtf8(reader.Rest());
  }
}

std::vector<std::string> Seeds() {
  const auto input = [](Kind kind, std::string_view text) {
    return static_cast<char>(kind) + std::string(text);
  };
  std::vector<std::string> seeds = {input(kDecimals, "\x85\1\xbf\1\5\2\4\7"),
                                    input(kUtf8, "aé€😀\xff\xe2\x82"),
                                    input(kPattern, "\x17yyyy-MM-dd HH:mm:ss.SSS\0\0\0\0\0\0\0\0"),
                                    input(kPattern, "\x0fMMM d, uu hh a 'x'")};
  for (const char* text :
       {"2013-01-01", "05:15:00.123456", "0001-1-1 00:00", "9999-12-31T23:59:59.999999"})
    seeds.push_back(input(kTimes, text));
  for (const char* text : {"1.5e-300",
                           "-Infinity",
                           " 12. ",
                           "99999999999999999999999999999999999999",
                           "-0.005",
                           "1e400",
                           "yes"})
    seeds.push_back(input(kNumbers, text));
  for (const char* text : {"[::1]:7400",
                           "localhost:1",
                           "500ms",
                           "1.5m,2s",
                           "10 min",
                           "64 kb",
                           "a.b=error:not_found@3;c=delay:5",
                           "a\"\n\x01"})
    seeds.push_back(input(kWords, text));
  return seeds;
}

}  // namespace

const Target kValues{.name = "values", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
