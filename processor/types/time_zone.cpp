#include "processor/types/time_zone.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "processor/types/number_text.h"

namespace slipstream::sql {
namespace {

// Clocks that are put back show a time again, at most so much later; zones that change sides of the
// date line are the widest.
constexpr absl::Duration kRepeatedMax = absl::Hours(26);
// Beyond it no clock is computed: some 146,000 years.
constexpr int64_t kTimeMax = int64_t{1} << 62;

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

bool IsComputed(int64_t time) {
  return time >= -kTimeMax && time <= kTimeMax;
}

absl::CivilSecond CivilOf(int64_t local) {
  return absl::ToCivilSecond(absl::FromUnixMicros(local), absl::UTCTimeZone());
}

int64_t LocalOf(absl::CivilSecond civil) {
  return absl::ToUnixMicros(absl::FromCivil(civil, absl::UTCTimeZone()));
}

// `local` lies so far behind its full second.
int64_t FractionOf(int64_t local) {
  return absl::ToInt64Microseconds(absl::FromUnixMicros(local) -
                                   absl::FromCivil(CivilOf(local), absl::UTCTimeZone()));
}

}  // namespace

TimeZonePtr TimeZone::Find(std::string_view name) {
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
    return std::make_shared<const TimeZone>(std::string(name), absl::FixedTimeZone(*distance));
  }
  std::string_view known = name;
  for (const Abbreviation& abbreviation : kAbbreviations) {
    if (abbreviation.name == name) known = abbreviation.zone;
  }
  absl::TimeZone zone;
  if (!absl::LoadTimeZone({known.data(), known.size()}, &zone)) return nullptr;
  return std::make_shared<const TimeZone>(std::string(name), zone);
}

TimeZone::TimeZone(std::string name, absl::TimeZone zone)
    : name_(std::move(name)),
      zone_(zone),
      is_utc_(zone == absl::UTCTimeZone() || name_ == "Etc/UTC") {}

int64_t TimeZone::ToLocal(int64_t instant) const {
  if (!IsComputed(instant)) return instant;
  return instant + int64_t{zone_.At(absl::FromUnixMicros(instant)).offset} * 1'000'000;
}

int64_t TimeZone::ToInstant(int64_t local) const {
  if (!IsComputed(local)) return local;
  return absl::ToUnixMicros(zone_.At(CivilOf(local)).pre) + FractionOf(local);
}

int64_t TimeZone::LastInstant(int64_t local) const {
  if (!IsComputed(local)) return local;
  const absl::TimeZone::TimeInfo info = zone_.At(CivilOf(local));
  if (info.kind == absl::TimeZone::TimeInfo::SKIPPED) return absl::ToUnixMicros(info.trans) - 1;
  return absl::ToUnixMicros(info.post) + FractionOf(local);
}

int64_t TimeZone::Passed(int64_t instant) const {
  if (!IsComputed(instant)) return instant;
  // What clocks show next, and whenever they are put back so soon that it is less.
  int64_t least = ToLocal(instant + 1);
  const absl::Time from = absl::FromUnixMicros(instant + 1);
  absl::Time at = from;
  absl::TimeZone::CivilTransition change;
  while (zone_.NextTransition(at, &change)) {
    at = zone_.At(change.to).trans;
    if (at - from > kRepeatedMax) break;
    least = std::min(least, LocalOf(change.to));
  }
  return least - 1;
}

}  // namespace slipstream::sql
