#include "processor/planner/stream_rules.h"

#include <algorithm>
#include <string>

#include "processor/planner/plan_properties.h"

namespace slipstream::sql {
namespace {

// What the operator is called if its input's rows have to stay; null: they need not.
const char* NeedsFinalRows(const PlanNode& node) {
  switch (node.kind) {
    case PlanNode::Kind::kWindow:
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
                                                                 : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

void CheckStream(const PlanContext& context, Span at, const PlanNode& node) {
  const bool is_bounded = context.every_input_is_bounded();
  for (const PlanNodePtr& input : node.inputs) {
    CheckStream(context, at, *input);
    const char* const what = NeedsFinalRows(node);
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
  const bool needs_all_rows = std::any_of(
      node.lags.begin(), node.lags.end(), [](const LagCall& lag) { return lag.needs_end(); });
  if (needs_all_rows && !IsBounded(node, is_bounded)) {
    context.Unsupported(
        at,
        "LEAD, RANK and other ranks than ROW_NUMBER over input that does not end are",
        "bound the source: 'scan.bounded.mode' = 'latest-offset', or --bounded");
  }
  if (node.kind == PlanNode::Kind::kOver && !IsBounded(node, is_bounded) &&
      !(node.order_is_time && !node.sort_keys.front().descending)) {
    context.Fail(at,
                 "over input that does not end OVER needs ORDER BY its event time, ascending",
                 "with a condition on the ROW_NUMBER any order will do: WHERE row_num <= n");
  }
}

}  // namespace slipstream::sql
