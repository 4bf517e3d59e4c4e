#include "processor/planner/plan_context.h"

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
