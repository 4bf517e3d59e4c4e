#include "processor/planner/plan_context.h"

#include <fmt/format.h>

#include "processor/planner/session_zone.h"
#include "processor/types/time_zone.h"

namespace slipstream::sql {

void PlanContext::Fail(Span at, std::string message, std::string hint) const {
  throw SqlError(MakeDiagnostic(*source_, at, std::move(message), std::move(hint)));
}

void PlanContext::Unsupported(Span at, const std::string& what, std::string hint) const {
  Fail(at, what + " not supported yet", std::move(hint));
}

void PlanContext::CountQuery(Span at, size_t columns) {
  planned_bytes_ += at.length + columns * kBytesPerColumn;
  if (planned_bytes_ > kPlannedBytesMax) Fail(at, "with all views unfolded this is too large");
}

ExchangeOptions PlanContext::exchange_options() const {
  const auto phases = settings_.find(kAggregatePhases);
  return {.every_input_is_bounded = every_input_is_bounded_,
          .pre_aggregates = phases == settings_.end() || phases->second != "ONE_PHASE"};
}

TimeZonePtr PlanContext::zone() const {
  const auto name = settings_.find(kLocalTimeZone);
  if (name == settings_.end()) return nullptr;
  TimeZonePtr zone = ZoneNamed(name->second, Span{});
  return zone->is_utc() ? nullptr : zone;
}

TimeZonePtr PlanContext::ZoneNamed(const std::string& name, Span at) const {
  TimeZonePtr zone = TimeZone::Find(name == "default" ? "UTC" : name);
  if (zone == nullptr) {
    Fail(at,
         fmt::format("'{}': no time zone '{}'", kLocalTimeZone, name),
         "write a name, as 'Europe/Oslo', or a distance from UTC, as 'GMT+01:00'");
  }
  return zone;
}

PlanNodePtr PlanContext::InZone(PlanNodePtr root) {
  const TimeZonePtr zone = this->zone();
  if (zone == nullptr) return root;
  PutInZone(*root, *zone, [&](const TablePtr& table) {
    TablePtr& known = in_zone_[{table, zone->name()}];
    if (known == nullptr) known = TableInZone(table, *zone);
    return known;
  });
  return root;
}

TablePtr PlanContext::WithOptions(const TablePtr& table, Options options) {
  for (const auto& [declared, changed] : with_options_) {
    if (declared == table && changed->options == options) return changed;
  }
  auto changed = std::make_shared<TableDefinition>(*table);
  changed->options = std::move(options);
  with_options_.emplace_back(table, changed);
  return changed;
}

}  // namespace slipstream::sql
