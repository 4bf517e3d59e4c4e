#include <map>
#include <optional>
#include <string>
#include <utility>

#include "processor/expr/function_table.h"
#include "processor/types/date_time.h"
#include "processor/types/number_text.h"
#include "processor/types/time_zone.h"

// CONVERT_TZ(text, from, to): the time that clocks in zone `to` show when those in `from` show the
// given one. And what the planner writes where an instant is used as the time of clocks in the
// session's zone, or the other way round (planner/session_zone.h).

namespace slipstream::sql {
namespace {

// ZoneCache: zones by their names, for the rows of a batch.
class ZoneCache {
 public:
  // nullptr: there is none, and the row has failed.
  const TimeZone* Get(const KernelCall& call, size_t arg, size_t row) {
    const std::string_view name = call.args[arg].string_at(row);
    auto found = zones_.find(name);
    if (found == zones_.end()) {
      found = zones_.emplace(std::string(name), TimeZone::Find(name)).first;
    }
    if (found->second == nullptr) {
      call.errors.Add(row, "no time zone '" + std::string(name) + "'");
    }
    return found->second.get();
  }

 private:
  std::map<std::string, TimeZonePtr, std::less<>> zones_;
};

// Gives each row what `of` makes of its zone and first argument.
template <int64_t (TimeZone::*kOf)(int64_t) const>
void ClockKernel(const KernelCall& call, Column& out) {
  ZoneCache zones;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const TimeZone* const zone = zones.Get(call, 1, row);
    if (zone == nullptr) {
      out.SetNull(row);
    } else {
      out.ints[row] = (zone->*kOf)(call.args[0].int_at(row));
    }
  }
}

// Seconds of a local time as seconds since 1970 UTC; what stands for no time stays.
void LocalSecondsKernel(const KernelCall& call, Column& out) {
  constexpr int64_t kSecondsMax = INT64_MAX / kMicrosPerSecond;
  ZoneCache zones;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const int64_t local = call.args[0].int_at(row);
    const TimeZone* const zone = zones.Get(call, 1, row);
    const bool is_time = zone != nullptr && local <= kSecondsMax && local >= -kSecondsMax;
    out.ints[row] =
        is_time ? FloorDivide(zone->ToInstant(local * kMicrosPerSecond), kMicrosPerSecond) : local;
  }
}

void ConvertZoneKernel(const KernelCall& call, Column& out) {
  ZoneCache zones;
  for (size_t row = 0; row < call.rows; ++row) {
    if (out.is_null(row)) continue;
    const TimeZone* const from = zones.Get(call, 1, row);
    const TimeZone* const to = zones.Get(call, 2, row);
    if (from == nullptr || to == nullptr) {
      out.SetNull(row);
      continue;
    }
    const std::optional<int64_t> local = ParseTimestamp(TrimBlanks(call.args[0].string_at(row)));
    if (!local) {
      out.SetNull(row);
      continue;
    }
    const int64_t converted = to->ToLocal(from->ToInstant(*local));
    out.strings[row] = call.arena.Copy(FormatTimestamp(converted, 0));
  }
}

// Internal functions: no name that can be written has a blank. The zone is a literal.
void AddClock(FunctionTable& table, const char* name, TypeKind from, TypeKind to, Kernel kernel) {
  ScalarFunction function{.name = name, .usage = std::string(name) + "(time, zone)"};
  function.bind =
      [from, to](std::span<const ExpressionPtr> args) -> std::optional<ScalarFunction::Signature> {
    if (args.size() != 2 || args[0]->type.kind != from) return std::nullopt;
    DataType result = args[0]->type;
    result.kind = to;
    return ScalarFunction::Signature{.args = {args[0]->type, args[1]->type}, .result = result};
  };
  function.kernel = kernel;
  table.Add(std::move(function));
}

}  // namespace

void AddZoneFunctions(FunctionTable& table) {
  constexpr FunctionTable::Param kText = FunctionTable::Param::kString;
  table.Add("CONVERT_TZ", {kText, kText, kText}, 0, DataType::String(), ConvertZoneKernel);
  AddClock(table,
           "LOCAL TIME",
           TypeKind::kTimestampLtz,
           TypeKind::kTimestamp,
           ClockKernel<&TimeZone::ToLocal>);
  AddClock(table,
           "INSTANT OF",
           TypeKind::kTimestamp,
           TypeKind::kTimestampLtz,
           ClockKernel<&TimeZone::ToInstant>);
  AddClock(table, "LOCAL SECONDS", TypeKind::kBigInt, TypeKind::kBigInt, LocalSecondsKernel);
}

}  // namespace slipstream::sql
