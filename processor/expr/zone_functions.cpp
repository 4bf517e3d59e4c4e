#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>

#include <absl/time/time.h>

#include "processor/expr/function_table.h"
#include "processor/types/date_time.h"
#include "processor/types/number_text.h"

// CONVERT_TZ(text, from, to): the time that clocks in zone `to` show when those in `from` show the
// given one. Zones are names ("Europe/Oslo"), abbreviations as Java has them ("PST") and distances
// from UTC ("GMT-08:00").

namespace slipstream::sql {
namespace {

// "GMT+8", "UTC-08:30", "+08:00" as seconds; nullopt: it is no distance.
std::optional<int32_t> ParseDistance(std::string_view text) {
  if (text.starts_with("GMT") || text.starts_with("UTC")) text.remove_prefix(3);
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int32_t sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string_view minutes = colon < text.size() ? text.substr(colon + 1) : "0";
  const auto number = [](std::string_view digits, int64_t most) -> std::optional<int32_t> {
    const bool is_plain =
        !digits.empty() && digits.size() <= 2 &&
        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    const std::optional<int64_t> value = is_plain ? ParseInteger(digits) : std::nullopt;
    if (!value || *value > most) return std::nullopt;
    return static_cast<int32_t>(*value);
  };
  const std::optional<int32_t> hours = number(text.substr(0, colon), 23);
  const std::optional<int32_t> rest = number(minutes, 59);
  if (!hours || !rest) return std::nullopt;
  return sign * (*hours * 3600 + *rest * 60);
}

std::optional<absl::TimeZone> FindZone(std::string_view name) {
  struct Abbreviation {
    std::string_view name;
    std::string_view zone;
  };
  // Those that Java knows and the zone database does not.
  constexpr std::array kAbbreviations = std::to_array<Abbreviation>({{"PST", "America/Los_Angeles"},
                                                                     {"CST", "America/Chicago"},
                                                                     {"JST", "Asia/Tokyo"},
                                                                     {"IST", "Asia/Kolkata"},
                                                                     {"CTT", "Asia/Shanghai"},
                                                                     {"AET", "Australia/Sydney"}});
  if (const std::optional<int32_t> distance = ParseDistance(name)) {
    return absl::FixedTimeZone(*distance);
  }
  for (const Abbreviation& abbreviation : kAbbreviations) {
    if (abbreviation.name == name) name = abbreviation.zone;
  }
  absl::TimeZone zone;
  if (!absl::LoadTimeZone({name.data(), name.size()}, &zone)) return std::nullopt;
  return zone;
}

void ConvertZoneKernel(const KernelCall& call, Column& out) {
  std::map<std::string, std::optional<absl::TimeZone>, std::less<>> zones;
  const auto zone_at = [&](size_t arg, size_t row) -> const std::optional<absl::TimeZone>& {
    const std::string_view name = call.args[arg].string_at(row);
    auto found = zones.find(name);
    if (found == zones.end()) found = zones.emplace(std::string(name), FindZone(name)).first;
    return found->second;
  };
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    for (const size_t arg : {size_t{1}, size_t{2}}) {
      if (zone_at(arg, row) || out.is_null(row)) continue;
      out.SetNull(row);
      call.errors.Add(row, "no time zone '" + std::string(call.args[arg].string_at(row)) + "'");
    }
    if (out.is_null(row)) continue;
    const std::optional<int64_t> local = ParseTimestamp(TrimBlanks(call.args[0].string_at(row)));
    if (!local) {
      out.SetNull(row);
      continue;
    }
    // Both zones are those of clocks, and UTC is what the columns' times are in.
    const absl::CivilSecond shown =
        absl::ToCivilSecond(absl::FromUnixMicros(*local), absl::UTCTimeZone());
    const absl::Time instant = absl::FromCivil(shown, *zone_at(1, row));
    const absl::Time converted =
        absl::FromCivil(absl::ToCivilSecond(instant, *zone_at(2, row)), absl::UTCTimeZone());
    out.strings[row] = call.arena.Copy(FormatTimestamp(absl::ToUnixMicros(converted), 0));
  }
}

}  // namespace

void AddZoneFunctions(FunctionTable& table) {
  constexpr FunctionTable::Param kText = FunctionTable::Param::kString;
  table.Add("CONVERT_TZ", {kText, kText, kText}, 0, DataType::String(), ConvertZoneKernel);
}

}  // namespace slipstream::sql
