#include "processor/planner/early_results.h"

#include <chrono>

#include <fmt/format.h>

#include "processor/planner/plan_properties.h"
#include "processor/planner/table_options.h"

namespace slipstream::sql {
namespace {

constexpr const char* kOption = "emit.early-interval";

void Mark(const PlanContext& context, Span at, int64_t interval_us, PlanNode& node) {
  switch (node.kind) {
    case PlanNode::Kind::kProject:
      Mark(context, at, interval_us, *node.inputs.front());
      return;
    case PlanNode::Kind::kWindowAggregate:
      // A session that grows or joins another is another session.
      if (node.window.kind == WindowSpec::Kind::kSession) {
        context.Unsupported(at, "early results of sessions are");
      }
      node.early_us = interval_us;
      return;
    default:
      context.Fail(at,
                   fmt::format("'{}' is for what an aggregate by window gives", kOption),
                   "INSERT INTO … SELECT … GROUP BY window_start, window_end, without HAVING");
  }
}

}  // namespace

void AddEarlyResults(const PlanContext& context,
                     Span at,
                     const TableDefinition& table,
                     PlanNode& query) {
  const auto option = table.options.find(kOption);
  if (option == table.options.end()) return;
  if (table.connector() != "upsert-kafka") {
    context.Fail(
        at,
        fmt::format("'{}' gives updates of earlier rows, for 'upsert-kafka' tables; {} is '{}'",
                    kOption,
                    table.name,
                    table.connector()));
  }
  const std::chrono::microseconds interval = context.Check(ParseDuration(option->second), at);
  if (interval.count() == 0) context.Fail(at, fmt::format("'{}' is longer than nothing", kOption));
  if (IsBounded(query, context.every_input_is_bounded())) return;
  Mark(context, at, interval.count(), query);
}

}  // namespace slipstream::sql
