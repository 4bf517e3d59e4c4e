#include "processor/planner/stream_rules.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "processor/expr/watermark_function.h"
#include "processor/planner/plan_properties.h"
#include "processor/planner/plan_times.h"

namespace slipstream::sql {
namespace {

// What the operator is called if its input's rows have to stay; null: they need not.
const char* NeedsFinalRows(const PlanNode& node) {
  switch (node.kind) {
    case PlanNode::Kind::kWindow:
    case PlanNode::Kind::kSessionRows:
    case PlanNode::Kind::kWindowAggregate:
      return "a window";
    case PlanNode::Kind::kOver:
      return "OVER";
    case PlanNode::Kind::kSort:
      return "ORDER BY of input that ends";
    case PlanNode::Kind::kLimit:
      return "LIMIT of input that ends";
    case PlanNode::Kind::kTopN:
      return node.window_end || IsFirstRow(node) ? "ROW_NUMBER by window or event time" : nullptr;
    case PlanNode::Kind::kJoin:
      return node.join.variant == JoinSpec::Variant::kWindow     ? "a window join"
             : node.join.variant == JoinSpec::Variant::kInterval ? "an interval join"
             : node.join.variant == JoinSpec::Variant::kTemporal ? "a temporal join"
                                                                 : nullptr;
    default:
      return nullptr;
  }
}

// Windows of processing time end where their rows are; what would wait for the end of the window
// elsewhere cannot know of it.
void CheckArrivalWindows(const PlanContext& context, Span at, const PlanNode& node) {
  const bool is_join =
      node.kind == PlanNode::Kind::kJoin && node.join.variant == JoinSpec::Variant::kWindow;
  const bool is_aggregate = node.kind == PlanNode::Kind::kWindowAggregate &&
                            node.window.kind == WindowSpec::Kind::kAttached;
  const bool is_top_n = node.kind == PlanNode::Kind::kTopN && node.window_end;
  if (!is_join && !is_aggregate && !is_top_n) return;
  const std::optional<RowWindows> windows = RowWindowsOf(*node.inputs.front());
  if (!windows || !windows->spec.is_by_arrival) return;
  context.Unsupported(at,
                      is_join        ? "a join by windows of processing time is"
                      : is_aggregate ? "an aggregate over windows of processing time is"
                                     : "ROW_NUMBER by windows of processing time is");
}

// A temporal join is by what tells the right side's rows apart.
void CheckVersions(const PlanContext& context, Span at, const PlanNode& join) {
  if (join.join.variant != JoinSpec::Variant::kTemporal) return;
  std::set<size_t> columns;
  for (const JoinSpec::Key& key : join.join.keys)
    columns.insert(key.right);
  for (const std::set<size_t>& unique : UniqueKeys(*join.inputs[1])) {
    if (std::includes(columns.begin(), columns.end(), unique.begin(), unique.end())) return;
  }
  context.Fail(at,
               "FOR SYSTEM_TIME AS OF an event time joins by the key of the table on the right",
               "declare its PRIMARY KEY and ask for equality of all its columns in ON; or let a "
               "view give the last row of each key: ROW_NUMBER() … = 1");
}

// Who evaluates CURRENT_WATERMARK knows it: filters and projections.
void CheckWatermarks(const PlanContext& context, Span at, const PlanNode& node) {
  std::vector<ExpressionPtr> evaluated;
  if (node.kind == PlanNode::Kind::kJoin) evaluated.push_back(node.condition);
  evaluated.push_back(node.unnested);
  for (const AggregateCall& call : node.aggregates) {
    evaluated.insert(evaluated.end(), call.args.begin(), call.args.end());
    evaluated.push_back(call.filter);
  }
  for (const LagCall& lag : node.lags)
    evaluated.insert(evaluated.end(), {lag.value, lag.fallback});
  for (const ExpressionPtr& expression : evaluated) {
    if (!expression || !AsksWatermark(*expression)) continue;
    context.Unsupported(at, "CURRENT_WATERMARK inside aggregates, OVER, UNNEST and joins is");
  }
}

}  // namespace

void CheckStream(const PlanContext& context, Span at, const PlanNode& node) {
  const bool is_bounded = context.every_input_is_bounded();
  for (const PlanNodePtr& input : node.inputs) {
    CheckStream(context, at, *input);
    const bool is_versioned = node.kind == PlanNode::Kind::kJoin &&
                              node.join.variant == JoinSpec::Variant::kTemporal &&
                              &input != &node.inputs.front();
    const char* const what = is_versioned ? nullptr : NeedsFinalRows(node);
    if (what != nullptr && IsUpdateStream(*input, is_bounded)) {
      context.Unsupported(at, std::string(what) + " over a stream of updates is");
    }
  }
  const bool needs_end = node.kind == PlanNode::Kind::kSort || node.kind == PlanNode::Kind::kLimit;
  if (needs_end && !IsBounded(node, is_bounded)) {
    context.Fail(at,
                 node.kind == PlanNode::Kind::kSort
                     ? "ORDER BY needs input that ends, a LIMIT, or the order of the event time"
                     : "OFFSET without LIMIT, and LIMIT 0, need input that ends",
                 "bound the source: 'scan.bounded.mode' = 'latest-offset', or --bounded");
  }
  if (node.kind == PlanNode::Kind::kJoin) CheckVersions(context, at, node);
  if (!IsBounded(node, is_bounded)) CheckArrivalWindows(context, at, node);
  CheckWatermarks(context, at, node);
  const bool needs_all_rows = std::any_of(
      node.lags.begin(), node.lags.end(), [](const LagCall& lag) { return lag.needs_end(); });
  if (needs_all_rows && !IsBounded(node, is_bounded)) {
    context.Unsupported(
        at,
        "LEAD, RANK and other ranks than ROW_NUMBER over input that does not end are",
        "bound the source: 'scan.bounded.mode' = 'latest-offset', or --bounded");
  }
  if (node.kind == PlanNode::Kind::kOver && !IsBounded(node, is_bounded) &&
      !((node.order_is_time || node.order_is_arrival) && !node.sort_keys.front().descending)) {
    context.Fail(at,
                 "over input that does not end OVER needs ORDER BY its time, ascending",
                 "with a condition on the ROW_NUMBER any order will do: WHERE row_num <= n");
  }
}

}  // namespace slipstream::sql
