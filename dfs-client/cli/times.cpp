#include "dfs-client/cli/times.h"

#include <algorithm>
#include <cctype>
#include <ctime>

#include <fmt/format.h>

#include "dfs-client/cli/format.h"

namespace slipstream::dfs::cli {
namespace {

constexpr int64_t kMillisecondsPerSecond = 1000;

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isdigit(c) != 0;
  });
}

// All of `text` by strptime's `format`, which accepts signs and spaces: check for digits before.
std::optional<tm> Parse(const std::string& text, const char* format) {
  tm parts{};
  const char* end = strptime(text.c_str(), format, &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  parts.tm_isdst = -1;  // as the zone has it
  return parts;
}

}  // namespace

std::optional<int64_t> ParseTouchTime(const std::string& text) {
  constexpr size_t kDateDigits = 8;
  constexpr size_t kLength = 15;
  if (text.size() != kLength || text[kDateDigits] != ':' ||
      !IsDigits(text.substr(0, kDateDigits)) || !IsDigits(text.substr(kDateDigits + 1))) {
    return std::nullopt;
  }
  std::optional<tm> parts = Parse(text, "%Y%m%d:%H%M%S");
  if (!parts.has_value()) return std::nullopt;
  return int64_t{mktime(&*parts)} * kMillisecondsPerSecond;
}

std::optional<int64_t> ParseCheckpointTime(const std::string& name) {
  constexpr size_t kDigits = 12;
  const std::string digits = name.substr(0, kDigits);
  const std::string rest = name.substr(digits.size());
  if (digits.size() != kDigits || !IsDigits(digits)) return std::nullopt;
  if (!rest.empty() && (rest.front() != '-' || !IsDigits(rest.substr(1)))) return std::nullopt;
  std::optional<tm> parts = Parse("20" + digits, "%Y%m%d%H%M%S");
  if (!parts.has_value()) return std::nullopt;
  return int64_t{timegm(&*parts)} * kMillisecondsPerSecond;
}

std::string CheckpointName(int64_t time_ms) {
  return FormatTime(time_ms, "%y%m%d%H%M%S", Zone::kUtc);
}

std::string LogTime(int64_t time_ms) {
  return fmt::format("{},{:03}",
                     FormatTime(time_ms, "%Y-%m-%d %H:%M:%S", Zone::kLocal),
                     time_ms % kMillisecondsPerSecond);
}

}  // namespace slipstream::dfs::cli
