#include "processor/planner/table_options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "processor/sql/nearest_name.h"
#include "processor/types/number_text.h"

namespace slipstream::sql {
namespace {

struct Unit {
  std::string_view name;
  uint64_t size;
};

// A whole number and a unit; nullopt: not of that form, or above INT64_MAX.
std::optional<uint64_t> ParseQuantity(std::string_view text, std::span<const Unit> units) {
  text = TrimBlanks(text);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit = TrimBlanks(text.substr(static_cast<size_t>(end - text.data())));
  for (const Unit& candidate : units) {
    if (!EqualsIgnoreCase(candidate.name, unit)) continue;
    uint64_t quantity = 0;
    if (__builtin_mul_overflow(number, candidate.size, &quantity)) return std::nullopt;
    return quantity <= INT64_MAX ? std::optional(quantity) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  static constexpr uint64_t kSecond = 1000;
  static constexpr uint64_t kMinute = 60 * kSecond;
  static constexpr uint64_t kHour = 60 * kMinute;
  static constexpr uint64_t kDay = 24 * kHour;
  static constexpr std::array kUnits = std::to_array<Unit>({{"", 1},
                                                            {"ms", 1},
                                                            {"milli", 1},
                                                            {"millis", 1},
                                                            {"millisecond", 1},
                                                            {"milliseconds", 1},
                                                            {"s", kSecond},
                                                            {"sec", kSecond},
                                                            {"secs", kSecond},
                                                            {"second", kSecond},
                                                            {"seconds", kSecond},
                                                            {"m", kMinute},
                                                            {"min", kMinute},
                                                            {"minute", kMinute},
                                                            {"minutes", kMinute},
                                                            {"h", kHour},
                                                            {"hour", kHour},
                                                            {"hours", kHour},
                                                            {"d", kDay},
                                                            {"day", kDay},
                                                            {"days", kDay}});
  const std::optional<uint64_t> duration = ParseQuantity(text, kUnits);
  if (!duration) return InvalidArgument(fmt::format("'{}' is not a duration, as '10 s' is", text));
  return std::chrono::milliseconds(static_cast<int64_t>(*duration));
}

Result<uint64_t> ParseMemorySize(std::string_view text) {
  static constexpr uint64_t kKilo = 1024;
  static constexpr uint64_t kMega = 1024 * kKilo;
  static constexpr uint64_t kGiga = 1024 * kMega;
  static constexpr uint64_t kTera = 1024 * kGiga;
  static constexpr std::array kUnits = std::to_array<Unit>({{"", 1},
                                                            {"b", 1},
                                                            {"byte", 1},
                                                            {"bytes", 1},
                                                            {"k", kKilo},
                                                            {"kb", kKilo},
                                                            {"kib", kKilo},
                                                            {"m", kMega},
                                                            {"mb", kMega},
                                                            {"mib", kMega},
                                                            {"g", kGiga},
                                                            {"gb", kGiga},
                                                            {"gib", kGiga},
                                                            {"t", kTera},
                                                            {"tb", kTera},
                                                            {"tib", kTera}});
  const std::optional<uint64_t> size = ParseQuantity(text, kUnits);
  if (!size) return InvalidArgument(fmt::format("'{}' is not a size, as '128MB' is", text));
  return *size;
}

Result<bool> ParseBool(std::string_view text) {
  if (EqualsIgnoreCase(TrimBlanks(text), "true")) return true;
  if (EqualsIgnoreCase(TrimBlanks(text), "false")) return false;
  return InvalidArgument(fmt::format("'{}' is neither 'true' nor 'false'", text));
}

Status OptionReader::Wrong(std::string_view key, std::string_view why) const {
  return InvalidArgument(fmt::format("{}: '{}': {}", owner_, key, why));
}

std::optional<std::string> OptionReader::Find(std::string_view key) {
  known_.emplace(key);
  const auto found = options_.find(std::string(key));
  return found == options_.end() ? std::nullopt : std::optional(found->second);
}

bool OptionReader::Has(std::string_view key) {
  return Find(key).has_value();
}

Result<std::string> OptionReader::GetString(std::string_view key) {
  std::optional<std::string> value = Find(key);
  if (!value) return InvalidArgument(fmt::format("{}: '{}' is missing", owner_, key));
  if (value->empty()) return Wrong(key, "must not be empty");
  return *std::move(value);
}

std::string OptionReader::GetString(std::string_view key, std::string_view fallback) {
  return Find(key).value_or(std::string(fallback));
}

Result<bool> OptionReader::GetBool(std::string_view key, bool fallback) {
  const std::optional<std::string> value = Find(key);
  if (!value) return fallback;
  Result<bool> parsed = ParseBool(*value);
  if (!parsed.ok()) return Wrong(key, parsed.error().message());
  return parsed;
}

Result<int64_t> OptionReader::GetInt(std::string_view key,
                                     int64_t fallback,
                                     int64_t min,
                                     int64_t max) {
  const std::optional<std::string> value = Find(key);
  if (!value) return fallback;
  const std::string_view text = TrimBlanks(*value);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || number < min || number > max) {
    return Wrong(key, fmt::format("'{}' is not a whole number from {} to {}", *value, min, max));
  }
  return number;
}

Result<double> OptionReader::GetShare(std::string_view key, double fallback) {
  const std::optional<std::string> value = Find(key);
  if (!value) return fallback;
  const std::optional<double> share = ParseDouble(*value);
  if (share && *share >= 0 && *share <= 1) return *share;
  return Wrong(key, fmt::format("'{}' is not a number from 0 to 1", *value));
}

Result<std::chrono::milliseconds> OptionReader::GetDuration(std::string_view key,
                                                            std::chrono::milliseconds fallback) {
  const std::optional<std::string> value = Find(key);
  if (!value) return fallback;
  Result<std::chrono::milliseconds> parsed = ParseDuration(*value);
  if (!parsed.ok()) return Wrong(key, parsed.error().message());
  return parsed;
}

Result<uint64_t> OptionReader::GetMemorySize(std::string_view key, uint64_t fallback) {
  const std::optional<std::string> value = Find(key);
  if (!value) return fallback;
  Result<uint64_t> parsed = ParseMemorySize(*value);
  if (!parsed.ok()) return Wrong(key, parsed.error().message());
  return parsed;
}

Result<std::string> OptionReader::GetOneOf(std::string_view key,
                                           std::string_view fallback,
                                           std::span<const std::string_view> allowed) {
  const std::optional<std::string> value = Find(key);
  if (!value) return std::string(fallback);
  for (const std::string_view candidate : allowed) {
    if (EqualsIgnoreCase(candidate, TrimBlanks(*value))) return std::string(candidate);
  }
  return Wrong(key, fmt::format("'{}' is none of {}", *value, fmt::join(allowed, ", ")));
}

std::vector<std::string> OptionReader::GetList(std::string_view key) {
  const std::string value = GetString(key, "");
  std::vector<std::string> parts;
  for (size_t start = 0; start <= value.size();) {
    const size_t end = std::min(value.find(';', start), value.size());
    const std::string_view part = TrimBlanks(std::string_view(value).substr(start, end - start));
    if (!part.empty()) parts.emplace_back(part);
    start = end + 1;
  }
  return parts;
}

std::vector<std::pair<std::string, std::string>> OptionReader::GetPrefixed(
    std::string_view prefix) {
  known_prefixes_.emplace(prefix);
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [key, value] : options_) {
    if (key.starts_with(prefix)) found.emplace_back(key.substr(prefix.size()), value);
  }
  return found;
}

Status OptionReader::CheckAllKnown() const {
  for (const auto& [key, value] : options_) {
    const bool has_prefix = std::any_of(
        known_prefixes_.begin(), known_prefixes_.end(), [&, &option = key](const auto& prefix) {
          return option.starts_with(prefix);
        });
    if (has_prefix || known_.contains(key)) continue;
    const std::string hint =
        DidYouMean(key, std::vector<std::string>(known_.begin(), known_.end()));
    return InvalidArgument(
        fmt::format("{}: unknown option '{}'{}{}", owner_, key, hint.empty() ? "" : "; ", hint));
  }
  return {};
}

}  // namespace slipstream::sql
